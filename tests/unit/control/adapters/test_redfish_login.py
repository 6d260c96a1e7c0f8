"""Redfish over TLS with a session: who answers is checked, passwords stay inside TLS."""

from __future__ import annotations

import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from casemate.control.adapters import made_up_rack, redfish
from casemate.control.adapters.redfish import Login, Service
from casemate.core.errors import InputError, ReaderError

DAY = timedelta(days=1)


class Guarded:
    """A service that asks for a session. sessions: tokens that hold now."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.sessions: set[str] = set()
        self.logins = 0
        rows = made_up_rack.tree(1, 1)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status: int, row: Any, **headers: str) -> None:
                body = json.dumps(row).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if row == {"UserName": "reader", "Password": "secret"}:
                    outer.logins += 1
                    outer.sessions.add(f"token-{outer.logins}")
                    self.answer(201, {}, X_Auth_Token=f"token-{outer.logins}")
                else:
                    self.answer(401, {})

            def do_GET(self) -> None:
                if self.headers.get("X-Auth-Token") in outer.sessions:
                    self.answer(200, rows[self.path])
                else:
                    self.answer(401, {})

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f"https://127.0.0.1:{self.server.server_address[1]}"


def certificate(path: Path) -> Path:
    """Write a key and a certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, secret) + made.public_bytes(pem)
    )
    return path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guarded, Path]]:
    folder = tmp_path_factory.mktemp("tls")
    pem = certificate(folder / "bmc.pem")
    made = Guarded(folder, pem)
    yield made, pem
    made.server.shutdown()
    made.server.server_close()


GOOD = Login(user="reader", password="secret")


def test_a_session_is_opened_once_and_again_after_it_has_ended(
    guarded: tuple[Guarded, Path],
) -> None:
    made, pem = guarded
    service = Service(made.address, login=GOOD, authority=pem)
    before = made.logins
    assert len(redfish.read(service)["integrity"]) == 6
    assert len(redfish.read(service)["components"]) == 10
    assert made.logins == before + 1
    made.sessions.clear()
    with pytest.raises(ReaderError, match="answered with 401"):
        redfish.read(service)
    assert len(redfish.read(service)["integrity"]) == 6
    assert made.logins == before + 2
    service.close()


def test_a_wrong_password_is_refused(guarded: tuple[Guarded, Path]) -> None:
    made, pem = guarded
    service = Service(made.address, login=Login(user="reader", password="x"), authority=pem)
    with pytest.raises(ReaderError, match="login is answered with 401"):
        redfish.read(service)
    service.close()


def test_who_is_not_trusted_gets_no_password(guarded: tuple[Guarded, Path], tmp_path: Path) -> None:
    made, _ = guarded
    before = made.logins
    for authority in (None, certificate(tmp_path / "other.pem")):
        service = Service(made.address, login=GOOD, authority=authority)
        with pytest.raises(ReaderError, match="does not answer"):
            redfish.read(service)
        service.close()
    named = Service(
        made.address.replace("127.0.0.1", "localhost"), login=GOOD, authority=guarded[1]
    )
    with pytest.raises(ReaderError, match="does not answer"):
        redfish.read(named)
    assert made.logins == before


def test_certificates_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("none")
    for path in (tmp_path / "x.pem", tmp_path / "missing.pem"):
        with pytest.raises(InputError, match="certificates cannot be read"):
            Service("https://127.0.0.1", authority=path)
