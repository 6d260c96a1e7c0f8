"""`casemate fleet scraper` and `casemate fleet outlets`, with a scrape over real TLS."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from outlets_kit import find, put, trigger

from casemate.cli.main import main
from casemate.fleet.access import certificates
from casemate.fleet.alarms import outbox
from casemate.fleet.service import errands, home
from casemate.fleet.service.application import application
from casemate.fleet.web.server import Server

SNMP = {
    "name": "noc", "kind": "snmp", "host": "127.0.0.1", "port": 9, "user": "u", "auth": "secret",
    "privacy": "secret",
}  # fmt: skip


def get(port: int, identity: Path, *, shows: bool = True) -> tuple[int, str]:
    """Return status and body of a scrape."""
    context = ssl.create_default_context(cafile=str(identity / certificates.CA))
    if shows:
        context.load_cert_chain(identity / certificates.CERTIFICATE, identity / certificates.KEY)
    link = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        link.request("GET", "/metrics")
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def test_monitoring_is_let_in_scrapes_and_is_shut_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, identity = str(tmp_path / "service"), tmp_path / "scraper"
    assert main(["fleet", "init", folder, "--name", "localhost"]) == 0
    given = ["fleet", "scraper", folder, "prometheus", "--identity", str(identity)]
    assert main(given) == 0
    assert main(given) == 2  # it is there already
    place = home.read(tmp_path / "service")
    with home.running(place) as service:
        server = Server(application(service), "127.0.0.1", 0, tls=place.tls)
        try:
            put(service.store, 1)
            status, text = get(server.port, identity)
            assert status == 200 and 'casemate_fleet_enclosures{state="UNKNOWN"} 1.0' in text
            assert get(server.port, identity, shows=False)[0] == 401
            assert main(["fleet", "scraper", folder, "prometheus", "--remove"]) == 0
            assert get(server.port, identity)[0] == 401
            errands.take_over(service.store, service.audit)
        finally:
            server.close()
    assert main(["fleet", "scraper", folder, "nobody", "--remove"]) == 1
    held = x509.load_pem_x509_certificate((identity / certificates.CERTIFICATE).read_bytes())
    assert held.subject.rfc4514_string() == "CN=monitoring prometheus"  # no serial: has a space
    assert (identity / certificates.KEY).stat().st_mode & 0o077 == 0
    capsys.readouterr()


def test_outlets_are_checked_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = home.make(tmp_path / "service", "localhost")
    folder, file = str(made.folder), made.folder / home.SETTINGS
    assert main(["fleet", "outlets", folder]) == 0
    assert "nobody outside hears" in capsys.readouterr().out
    (made.folder / "secret").write_text("a secret of many bytes")
    (made.folder / "secret").chmod(0o600)
    row = json.loads(file.read_text())
    file.write_text(json.dumps({**row, "outlets": [SNMP]}))
    store = made.opened()
    with store.write() as link:
        outbox.begin(link, "noc")
    assert main(["fleet", "outlets", folder, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["waiting"] == 0 and one["engine"].startswith("80007ed905")
    find(store, put(store, 1), 1000, trigger("state.tampered", 1000, 1))
    store.close()
    assert main(["fleet", "outlets", folder]) == 1
    assert "noc (snmp): 1 wait" in capsys.readouterr().out
    file.write_text(json.dumps({**row, "outlets": [{**SNMP, "port": 0}]}))
    assert main(["fleet", "outlets", folder]) == 2
    assert "outlets[0].port" in capsys.readouterr().err
