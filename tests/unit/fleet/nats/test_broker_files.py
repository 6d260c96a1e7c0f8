"""Who may publish what at the broker: under its own name, whatever serials there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import insert

from casemate.core.errors import InputError
from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence
from casemate.fleet.service import broker_files, home
from casemate.fleet.store.schema import ENCLOSURES

SERIALS = ("U-1", "U-1", 'x" } ] }', "fleet service", "a,b", broker_files.SERVICE)


def test_each_is_let_publish_under_its_own_name_alone(tmp_path: Path) -> None:
    place = home.make(tmp_path / "fleet", "fleet.test")
    store = place.opened()
    with store.write() as link:
        for number, serial in enumerate(SERIALS):
            row = {"name": f"n{number}", "serial": serial, "origin": f"o{number}", "kind": "dpa",
                   "site": "s", "reference": b"", "policy": b"", "added_s": 0}  # fmt: skip
            link.execute(insert(ENCLOSURES).values(id=number + 1, **row))
            evidence.let(link, number + 1, f"{number:064x}", 0)
    store.close()
    out = tmp_path / "broker"
    made = broker_files.write(place, out, "broker.test", port=4333)
    assert made.left_out == tuple(sorted(repr(each) for each in SERIALS[2:5]))
    lines = (out / broker_files.USERS).read_text().splitlines()
    rows = {line.split('"')[1]: line for line in lines if "user:" in line}
    assert set(rows) == {broker_files.SERVICE, "CN=U-1", f"CN={broker_files.SERVICE}"}
    assert f"casemate.evidence.{0:064x}" in rows["CN=U-1"]
    assert f"casemate.evidence.{1:064x}" in rows["CN=U-1"]
    assert "$JS" not in rows[f"CN={broker_files.SERVICE}"]
    ours = x509.load_pem_x509_certificate((place.folder / "nats/certificate.pem").read_bytes())
    names = ours.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [broker_files.SERVICE]
    theirs = x509.load_pem_x509_certificate(
        certificates.issue(place.tls, broker_files.SERVICE).certificate
    )
    with pytest.raises(x509.ExtensionNotFound):  # whatever a serial is, it is no name of a client
        theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    key = (out / certificates.KEY).read_bytes()
    broker_files.write(place, out, "broker.test")  # again: keys and configuration stay
    assert (out / certificates.KEY).read_bytes() == key
    assert "4333" in (out / broker_files.CONFIG).read_text()
    for path in (out / certificates.KEY, place.folder / "nats" / certificates.KEY):
        assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError):
        broker_files.write(place, out, 'x"; y')


def test_the_example_is_what_the_command_writes() -> None:
    example = Path(__file__).parents[4] / "deploy" / "nats" / broker_files.CONFIG
    assert example.read_text() == broker_files.config("/etc/nats-server")
