"""Outlets in the service's settings: each error names the key, what is wrong and what to write.

Secrets are no part of the settings: a key names a file in the service's folder that its owner alone
may read.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from casemate.core.errors import InputError
from casemate.fleet.addresses import Network
from casemate.fleet.outlets import signature

LEAST_SECRET_BYTES = 16
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")
_WORD = re.compile(r"[\x21-\x7e]{1,64}")
_MOST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a receiver proves who it is, and we to it. Files: PEM. ca: "" for the system's."""

    ca: str
    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """Return the context of a client that checks chain and host name; TLS 1.2 or newer."""
        made = ssl.create_default_context(cafile=self.ca or None)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate:
            made.load_cert_chain(self.certificate, self.key or None)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Syslog:
    """A receiver of syslog over TLS. confirms: it answers the end of a connection (RFC 5425)."""

    name: str
    host: str
    port: int
    tls: Tls
    confirms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver of signed CloudEvents. networks: where it may be; none: anywhere public.

    secret: the key that signs.
    """

    name: str
    url: str
    secret: bytes = field(repr=False)
    networks: tuple[Network, ...]
    tls: Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Mqtt:
    """A broker. base: first part of topics. discovery: Home Assistant's prefix, "" for none.

    group: of Sparkplug B, "" for none. tls: None only on this machine itself.
    """

    name: str
    host: str
    port: int
    user: str
    password: bytes = field(repr=False)
    tls: Tls | None
    base: str
    discovery: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snmp:
    """A receiver of SNMPv3. confirmed: informs, which are answered; else traps, which are not."""

    name: str
    host: str
    port: int
    user: str
    auth: bytes = field(repr=False)
    privacy: bytes = field(repr=False)
    confirmed: bool


Settings: TypeAlias = Syslog | Webhook | Mqtt | Snmp


class Row:
    """A row of the settings that is read key by key. place: of the row, for errors."""

    def __init__(self, row: dict[str, Any], place: str, folder: Path, file: Path) -> None:
        self._row, self._place, self._folder, self._file = dict(row), place, folder, file

    def error(self, key: str, message: str, remedy: str, value: object = None) -> InputError:
        """Return the error that names a key."""
        place = f"{self._place}.{key}"
        return InputError(message, remedy=remedy, file=str(self._file), key=place, value=value)

    def text(
        self, key: str, form: re.Pattern[str], example: str, default: str | None = None
    ) -> str:
        """Return a text of a form."""
        value = self._row.pop(key, default)
        if value is None:
            raise self.error(key, "it is missing.", f"write one, such as {example}.")
        if not isinstance(value, str) or not (value == default or form.fullmatch(value)):
            raise self.error(key, "it is not of the form.", f"write such as {example}.", value)
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._row.pop(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "it is neither true nor false.", "write true or false.", value)
        return value

    def port(self, default: int) -> int:
        """Return a port."""
        value = self._row.pop("port", default)
        if type(value) is not int or not 0 < value < 65_536:
            raise self.error("port", "it is no port.", "write 1 to 65535.", value)
        return value

    def file(self, key: str) -> str:
        """Return the path of a file that is there, "" if none is named."""
        value = self._row.pop(key, "")
        if value == "":
            return ""
        if not isinstance(value, str) or not (self._folder / value).is_file():
            raise self.error(key, "there is no such file.", "name a file beside fleet.json.", value)
        return str(self._folder / value)

    def secret(self, key: str) -> bytes:
        """Return what stands in a file that its owner alone may read."""
        named = self.file(key)
        if not named:
            raise self.error(key, "it is missing.", "name a file that holds the secret.")
        path = Path(named)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise self.error(key, "others may read it.", f"chmod 600 {path.name}.", path.name)
        held = path.read_bytes().strip()
        plain = held.isascii() and held.decode("ascii").isprintable()
        if not plain or not LEAST_SECRET_BYTES <= len(held) <= 256:
            raise self.error(
                key, f"it holds no secret of {LEAST_SECRET_BYTES} to 256 printable bytes.",
                "make one, such as by `openssl rand -base64 32`.", path.name,
            )  # fmt: skip
        return held

    def signing_key(self, key: str) -> bytes:
        """Return the key of a secret of Standard Webhooks."""
        try:
            return signature.key(self.secret(key).decode("ascii"))
        except ValueError as error:
            raise self.error(
                key, f"it is no secret of Standard Webhooks: {error}.",
                'make one, such as by `echo "whsec_$(openssl rand -base64 32)"`.',
            ) from None  # fmt: skip

    def tls(self) -> Tls:
        """Return how receiver and service prove who they are; files are tried."""
        made = Tls(ca=self.file("ca"), certificate=self.file("certificate"), key=self.file("key"))
        try:
            made.context()
        except (OSError, ValueError) as error:
            raise self.error("ca", f"certificates cannot be read: {error}.", "write PEM.") from None
        return made

    def networks(self) -> tuple[Network, ...]:
        """Return networks."""
        value = self._row.pop("networks", [])
        try:
            if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
                raise ValueError
            return tuple(ipaddress.ip_network(each) for each in value)
        except ValueError:
            raise self.error(
                "networks", "these are no networks.", 'write such as ["10.20.0.0/16"].', value
            ) from None

    def url(self) -> str:
        """Return an address that is HTTPS and nothing odd."""
        value = self.text(
            "url", re.compile(r"https://[\x21-\x7e]{1,500}"), "https://soc.example/in"
        )
        try:
            parts = urlsplit(value)
            odd = bool(parts.username is not None or parts.fragment or parts.port == 0)
            odd = odd or not _HOST.fullmatch(parts.hostname or "")
        except ValueError:
            odd = True
        if odd:
            raise self.error("url", "it is no address.", "write https://HOST[:PORT]/PATH.", value)
        return value

    def end(self) -> None:
        """Raise InputError for a key that nobody has read: it would be believed to be heeded."""
        for key in self._row:
            raise self.error(key, "there is no such key.", "see docs/guides/connect-monitoring.md.")


def read(rows: object, folder: Path, file: Path) -> tuple[Settings, ...]:
    """Return the outlets of the settings. InputError names the first key that is wrong."""
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise InputError("outlets is no list of tables.", remedy='write "outlets": [{…}].',
                         file=str(file), key="outlets")  # fmt: skip
    if len(rows) > _MOST:
        raise InputError(f"more than {_MOST} outlets.", remedy="use fewer.", file=str(file),
                         key="outlets")  # fmt: skip
    made: list[Settings] = []
    for at, each in enumerate(rows):
        row = Row(each, f"outlets[{at}]", folder, file)
        name = row.text("name", _NAME, "siem")
        if name in [x.name for x in made]:
            raise row.error("name", "another outlet has this name.", "give each its own.", name)
        kind = row.text("kind", re.compile("|".join(_READERS)), ", ".join(_READERS))
        made.append(_READERS[kind](row, name))
        row.end()
    return tuple(made)


def _syslog(row: Row, name: str) -> Settings:
    return Syslog(
        name=name, host=row.text("host", _HOST, "siem.example.org"), port=row.port(6514),
        tls=row.tls(), confirms=row.flag("confirms", True),
    )  # fmt: skip


def _webhook(row: Row, name: str) -> Settings:
    return Webhook(
        name=name, url=row.url(), secret=row.signing_key("secret"), networks=row.networks(),
        tls=row.tls(),
    )  # fmt: skip


def _mqtt(row: Row, name: str) -> Settings:
    host, plain = row.text("host", _HOST, "broker.example.org"), row.flag("plain", False)
    if plain and host not in ("127.0.0.1", "::1", "localhost"):
        raise row.error("plain", "without TLS only on this machine.", "leave it out.", host)
    user = row.text("user", _WORD, "casemate", "")
    return Mqtt(
        name=name, host=host, port=row.port(1883 if plain else 8883), user=user,
        password=row.secret("password") if user else b"", tls=None if plain else row.tls(),
        base=row.text("base", _TOPIC, "casemate", "casemate"),
        discovery=row.text("discovery", _TOPIC, "homeassistant", ""),
        group=row.text("group", re.compile(r"[A-Za-z0-9_-]{1,64}"), "hall-1", ""),
    )  # fmt: skip


def _snmp(row: Row, name: str) -> Settings:
    return Snmp(
        name=name, host=row.text("host", _HOST, "noc.example.org"), port=row.port(162),
        user=row.text("user", re.compile(r"[\x21-\x7e]{1,32}"), "casemate"),
        auth=row.secret("auth"), privacy=row.secret("privacy"),
        confirmed=row.flag("confirmed", True),
    )  # fmt: skip


_READERS = {"syslog": _syslog, "webhook": _webhook, "mqtt": _mqtt, "snmp": _snmp}


def kind_of(settings: Settings) -> str:
    """Return what an outlet is called in the settings."""
    return type(settings).__name__.lower()


def names(held: Sequence[Settings]) -> list[str]:
    """Return the names of outlets."""
    return [each.name for each in held]
