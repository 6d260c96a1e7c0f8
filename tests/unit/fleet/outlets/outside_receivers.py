"""Receivers of others, as Debian has them, on 127.0.0.1: rsyslog, syslog-ng, Net-SNMP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokers import answers, free_port, until
from outlets_kit import program
from receivers import identity

_PROPERTIES = {
    "pri": 'name="pri"', "time": 'name="timereported" dateFormat="rfc3339"',
    "host": 'name="hostname"', "app": 'name="app-name"', "kind": 'name="msgid"',
    "version": 'name="protocol-version"', "text": 'name="msg"', "data": 'name="$!all-json"',
}  # fmt: skip
"""What rsyslog writes down of a message."""
IETF = ("SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF", "SNMPv2-MIB", "SNMP-FRAMEWORK-MIB")
"""Modules of the standard that ours imports, and those that they do."""


@dataclass(slots=True)
class Rows:
    """A receiver of syslog that writes each message down as JSON."""

    port: int
    file: Path

    def read(self) -> list[dict[str, Any]]:
        """Return what has come."""
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        return [json.loads(each) for each in text.splitlines() if each.endswith("}")]


@contextmanager
def rsyslog(folder: Path) -> Iterator[Rows]:
    """Yield rsyslog with TLS (GnuTLS), which takes structured data apart."""
    place = identity(folder)
    held = Rows(free_port(), folder / "rows")
    properties = " ".join(
        f'property(outname="{name}" {each} format="jsonf")' for name, each in _PROPERTIES.items()
    )
    (folder / "rsyslog.conf").write_text(f"""
global(workDirectory="{folder}" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{place}/ca.pem"
  defaultNetstreamDriverCertFile="{place}/certificate.pem"
  defaultNetstreamDriverKeyFile="{place}/key.pem")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
module(load="mmpstrucdata")
template(name="row" type="list" option.jsonf="on") {{ {properties} }}
input(type="imtcp" port="{held.port}" address="127.0.0.1")
action(type="mmpstrucdata")
action(type="omfile" file="{held.file}" template="row")
""")
    command = ("-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid"))
    with _running(folder, program("rsyslogd"), *command):
        until(lambda: answers(held.port))
        yield held


@contextmanager
def syslog_ng(folder: Path, unpacked: Path) -> Iterator[Rows]:
    """Yield syslog-ng with TLS (OpenSSL). unpacked: its packages' files; Debian installs one of the
    two alone."""
    place = identity(folder)
    held = Rows(free_port(), folder / "rows")
    modules = next(unpacked.glob("usr/lib/syslog-ng/*"))
    libraries = next(unpacked.glob("usr/lib/*/libsyslog-ng-*")).parent
    (folder / "syslog-ng.conf").write_text(f"""@version: {modules.name}
source s {{ syslog(ip("127.0.0.1") port({held.port}) transport("tls") tls(
  key-file("{place}/key.pem") cert-file("{place}/certificate.pem") ca-file("{place}/ca.pem")
  peer-verify(optional-untrusted))); }};
destination d {{ file("{held.file}" template("$(format-json --scope rfc5424 pri=$PRI)\\n")); }};
log {{ source(s); destination(d); }};
""")
    command = (
        "-F", "-f", str(folder / "syslog-ng.conf"), "-R", str(folder / "state"), "-p",
        str(folder / "pid"), "-c", str(folder / "control"), "--no-caps",
        f"--module-path={modules}",
    )  # fmt: skip
    with _running(
        folder, str(unpacked / "usr/sbin/syslog-ng"), *command, LD_LIBRARY_PATH=str(libraries)
    ):
        until(lambda: answers(held.port))
        yield held


@dataclass(slots=True)
class Traps:
    """Net-SNMP's receiver of notifications."""

    port: int
    file: Path

    def read(self) -> list[dict[str, str]]:
        """Return what has come: of each notification its objects, by the names of the MIB."""
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        found = []
        for line in text.splitlines():
            if line.startswith("TOLD "):
                pairs = (each.partition(" = ") for each in line.removeprefix("TOLD ").split("|"))
                found.append({name: value for name, _, value in pairs})
        return found


@contextmanager
def snmptrapd(
    folder: Path, words: tuple[str, str], engines: Sequence[bytes], mibs: Path | None = None
) -> Iterator[Traps]:
    """Yield a receiver that takes what is authenticated and encrypted alone.

    words: passphrases of authentication and privacy. engines: whose traps it takes. mibs: folder of
    MIBs by whose names it tells what has come; without, by numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = Traps(free_port(), folder / "told")
    user = f'casemate SHA-256 "{words[0]}" AES "{words[1]}"'
    known = "\n".join(f"createUser -e 0x{each.hex()} {user}" for each in engines)
    (folder / "snmptrapd.conf").write_text(
        f"createUser {user}\n{known}\nauthUser log casemate priv\nformat2 TOLD %V|%v\\n\n"
    )
    names = ("-M", str(mibs), "-m", "CASEMATE-MIB") if mibs else ("-m", "", "-On")
    command = (
        "-f", "-C", "-c", str(folder / "snmptrapd.conf"), *names, "-Lf", str(held.file),
        f"udp:127.0.0.1:{held.port}",
    )  # fmt: skip
    own = {"SNMP_PERSISTENT_DIR": str(folder / "state"), "SNMPCONFPATH": str(folder)}
    with _running(folder, program("snmptrapd"), *command, **own):
        until(lambda: held.file.exists() and "NET-SNMP version" in held.file.read_text())
        time.sleep(0.1)  # it says so before it listens
        yield held


def standard_mibs(folder: Path, texts: Path, own: Path) -> Path:
    """Return a folder with the standard's modules, of which texts are given, and with ours."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in IETF:
        (folder / each).write_bytes((texts / f"{each}.mib").read_bytes())
    (folder / "CASEMATE-MIB").write_bytes(own.read_bytes())
    return folder


def version(name: str, *words: str) -> str:
    """Return the version that a program tells."""
    done = subprocess.run([program(name), *words], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+[\d.]*", done.stdout + done.stderr)
    return found[0] if found else "unknown"


@contextmanager
def _running(folder: Path, *command: str, **env: str) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
