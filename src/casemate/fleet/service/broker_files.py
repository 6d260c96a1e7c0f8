"""What a nats-server needs: its configuration, who may publish what, its own certificate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from casemate.core.errors import InputError
from casemate.core.private_folder import private_folder
from casemate.core.secret_file import make_once
from casemate.core.whole_file import write_whole
from casemate.fleet.access import certificates
from casemate.fleet.nats import wire
from casemate.fleet.service.home import Home
from casemate.fleet.store.schema import ENCLOSURES, MACHINES

CONFIG, USERS = "nats-server.conf", "users.conf"
SERVICE = "fleet-service.casemate.invalid"
"""The service's name at the broker: of its certificate alone, whatever serials there are."""
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_CONFIG = """\
# nats-server as a carrier of evidence (docs/guides/run-a-fleet.md). Files beside this one.
# Who may publish is said in users.conf, by certificate; run `casemate fleet broker` after each
# `casemate fleet add`, and have nats-server read it again (systemctl reload nats-server).
listen: "0.0.0.0:{port}"
server_name: "casemate"
max_payload: {payload}
max_control_line: 4096
max_connections: 20000
max_subscriptions: 16
max_pending: 16MB
write_deadline: "10s"
jetstream {{
  store_dir: "{store}"
  max_memory_store: 64MB
  max_file_store: {file}
}}
tls {{
  cert_file: "{certificate}"
  key_file: "{key}"
  ca_file: "{ca}"
  verify_and_map: true
  timeout: 10
}}
authorization {{
  include "./{users}"
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written. left_out: serials that no name at the broker can be made of."""

    users: int
    left_out: tuple[str, ...]


def config(folder: str, *, port: int = 4222, store: str = "/var/lib/nats") -> str:
    """Return the configuration of a broker whose files lie in a folder."""
    return _CONFIG.format(
        port=port, store=store, payload=wire.MOST_BYTES + 4096, file=wire.MOST_STORED_BYTES,
        certificate=f"{folder}/{certificates.CERTIFICATE}", key=f"{folder}/{certificates.KEY}",
        ca=f"{folder}/{certificates.CA}", users=USERS,
    )  # fmt: skip


def users(link: Connection) -> tuple[str, Written]:
    """Return who may publish what: each controller under its own name, and hear its answers."""
    asked = select(MACHINES.c.fingerprint, ENCLOSURES.c.serial).join(ENCLOSURES)
    named: dict[str, list[str]] = {}
    left_out = set()
    for fingerprint, serial in link.execute(asked.order_by(MACHINES.c.fingerprint)):
        if _SERIAL.fullmatch(serial):
            named.setdefault(serial, []).append(fingerprint)
        else:
            left_out.add(repr(serial))
    rows = [_user(SERVICE, [f"{wire.ANSWER}.*", "$JS.API.>", "$JS.ACK.>"], ["_INBOX.fleet.>"])]
    for serial, held in sorted(named.items()):
        hears = [f"{wire.ANSWER}.{x}" for x in held]
        rows.append(_user(f"CN={serial}", [f"{wire.EVIDENCE}.{x}" for x in held], hears))
    text = "users = [\n" + "\n".join(rows) + "\n]\n"
    return text, Written(users=len(rows), left_out=tuple(sorted(left_out)))


def _user(name: str, publishes: list[str], hears: list[str]) -> str:
    def quoted(each: list[str]) -> str:
        return "[" + ", ".join(f'"{x}"' for x in each) + "]"

    return (
        f'  {{ user: "{name}", permissions: {{ publish: {{ allow: {quoted(publishes)} }}, '
        f"subscribe: {{ allow: {quoted(hears)} }} }} }}"
    )


def write(place: Home, out: Path, name: str, *, port: int = 4222, store: str = "") -> Written:
    """Write a broker's folder, or bring `users.conf` in one that is there up to date.

    name: by which the broker is reached. The service's own certificate comes into its folder,
    under nats/. InputError if a name cannot be one.
    """
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name):
        raise InputError("this is no host name.", remedy="write such as broker.example.org.",
                         key="--name", value=name)  # fmt: skip
    private_folder(out)
    ca = (place.tls / certificates.CA).read_bytes()
    issuer = certificates.Issuer(place.tls)
    for folder, made in (
        (out, lambda: issuer.issue(name, server=True)),
        (place.folder / "nats", lambda: issuer.issue("fleet service", alias=SERVICE)),
    ):
        private_folder(folder)
        if not (folder / certificates.CERTIFICATE).exists():
            given = made()
            make_once(folder / certificates.KEY, given.key)
            make_once(folder / certificates.CERTIFICATE, given.certificate)
        if not (folder / certificates.CA).exists():
            make_once(folder / certificates.CA, ca)
    opened = place.opened()
    try:
        with opened.read() as link:
            text, written = users(link)
    finally:
        opened.close()
    whole = config(str(out.absolute()), port=port, store=store or str(out.absolute() / "store"))
    if not (out / CONFIG).exists():
        write_whole(out / CONFIG, whole)
    write_whole(out / USERS, text)
    return written
