"""A display on a wall shows one page, for long, and does nothing whatever is done with its key."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from fleet_kit import DISPLAY, FINGERPRINT, Kit, bring, enter, let_display

from casemate.cli.main import main
from casemate.core.errors import InputError
from casemate.fleet.access import certificates, displays, people, roles
from casemate.fleet.service import broker_files
from casemate.fleet.service.application import cookie_name
from casemate.fleet.service.routes import ROUTES
from casemate.fleet.store.schema import ENCLOSURES
from casemate.fleet.web import wall_page
from casemate.fleet.web.server import Server


def see(kit: Kit, path: str = "/wall", fingerprint: str = DISPLAY, **more: Any) -> Any:
    kit.fronted.fingerprint = fingerprint
    try:
        return kit.client().get(path, **more)
    finally:
        kit.fronted.fingerprint = ""


@pytest.fixture
def wall(kit: Kit) -> Kit:
    """An enclosure that is UNKNOWN, with words of its own, and a display that is let in."""
    brought = enter(kit)
    brought.story.change("UNKNOWN", "the door of the vault was forced")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    let_display(kit)
    return kit


def test_its_permission_is_of_one_page_which_is_only_read() -> None:
    held = [each for each in ROUTES if each.permission == roles.DISPLAY]
    assert [(each.method, each.path) for each in held] == [("GET", "/wall")]
    assert roles.DISPLAY in roles.MACHINES and roles.DISPLAY not in roles.PERMISSIONS
    assert roles.DISPLAY not in roles.ROLES


def test_it_shows_states_and_nothing_to_follow_or_send(wall: Kit) -> None:
    page = see(wall).text
    assert "Not all is well: 0 TAMPERED, 1 UNKNOWN, 1 incident waits for a decision." in page
    main_ = page.partition("<main")[2]
    for each in (
        "<form",
        "<a ",
        "<input",
        "<select",
        "<textarea",
        "vault",
        "csrf",
        "state.unknown",
    ):
        assert each not in main_, each
    assert page.count("<button") == 1  # that stops it from renewing itself
    row = see(wall, "/wall.json").json()
    assert row["display"] == "hall-1"
    assert set(row["rows"][0]) == set(wall_page._SHOWN)
    assert "vault" not in json.dumps(row)


def test_nobody_else_is_let_in_and_it_is_let_in_nowhere_else(wall: Kit) -> None:
    for fingerprint in ("", FINGERPRINT, "cd" * 32):
        answer = see(wall, fingerprint=fingerprint)
        assert answer.status_code == 401 and "is let in no more, or was never" in answer.text
        assert "UNKNOWN" not in answer.text
    assert wall.client("inspector").get("/wall").status_code == 401
    for path in ("/fleet", "/enclosures/1", "/incidents/1", "/audit"):
        assert see(wall, path).headers["location"] == "/sign-in"
    for path in ("/fleet.json", "/enclosures/1/evidence.zip", "/metrics", "/evidence",
                 "/enclosures/1/verdict.json"):  # fmt: skip
        assert see(wall, path).status_code == 401, path


def test_with_somebodys_session_beside_it_it_is_still_nobody(wall: Kit) -> None:
    """A person who signs in on the wall's machine is a person; the certificate adds nothing."""
    wall.fronted.fingerprint = DISPLAY
    try:
        client = wall.client("auditor")
        data = {"csrf": wall.csrf["auditor"], "seen": ""}
        assert client.post("/incidents/1/acknowledge", data=data).status_code == 403
        row = client.get("/wall.json").json()
        assert row["display"] == "hall-1"
        assert wall.service.audit.latest(1)[0][1].role == "display"
        assert client.post("/wall", data=data).status_code == 405
        client.cookies.set(cookie_name(wall.service), "x")
        assert client.post("/incidents/1/acknowledge", data=data).status_code == 401
    finally:
        wall.fronted.fingerprint = ""


def test_it_lives_longer_than_any_session_and_not_for_ever(kit: Kit) -> None:
    let_display(kit, for_s=10 * people.SESSION_S)
    kit.clock.now_s += 10 * people.SESSION_S - 1
    assert see(kit, headers={"Casemate-Renewal": "1"}).status_code == 200
    kit.clock.now_s += 1
    answer = see(kit)
    assert answer.status_code == 401 and "is let in no more" in answer.text


def test_it_is_let_in_from_where_it_hangs_alone(kit: Kit) -> None:
    let_display(kit, network="10.1.2.3")
    assert see(kit).status_code == 401  # a client of tests has no address at all
    now_s = kit.service.now_s()
    with kit.service.store.read() as link:
        assert displays.known(link, DISPLAY, "10.1.2.3", now_s) is not None
        for client in ("10.1.2.4", "::ffff:10.1.2.4", "", "x", "10.1.2.3.evil"):
            assert displays.known(link, DISPLAY, client, now_s) is None
        assert displays.known(link, DISPLAY, "::ffff:10.1.2.3", now_s) is not None


def test_where_it_comes_from_is_what_the_socket_says(kit: Kit) -> None:
    """Whoever is on the service's own machine would else say that they come from elsewhere."""
    let_display(kit, network="10.1.2.3")
    kit.fronted.fingerprint = DISPLAY
    server = Server(kit.fronted, "127.0.0.1", 0)
    try:
        given = {"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
        asked = urllib.request.Request(f"{server.url}/wall.json", headers=given)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(asked, timeout=20)
        assert kit.service.audit.latest(1)[0][1].who == f"machine:{DISPLAY[:16]}"
    finally:
        server.close()


def test_what_it_does_is_in_the_audit_log_under_its_name(wall: Kit) -> None:
    before = wall.service.audit.log.next_index
    for at in range(30):  # whatever cookies come with it: they are alike, and counted
        see(wall, headers={"Cookie": f"{cookie_name(wall.service)}=x{at}"})
        wall.clock.now_s += 2
    wall.service.audit.flush()
    lines = [each for _, each in wall.service.audit.latest(50)]
    mine = [each for each in lines if each.role == "display"]
    assert {(each.who, each.what, each.subject) for each in mine} == {
        ("hall-1", "GET /wall", "testclient")
    }
    assert wall.service.audit.log.next_index - before <= 4
    assert see(wall, fingerprint="cd" * 32).status_code == 401
    assert wall.service.audit.latest(1)[0][1].outcome == "refused 401"


def test_who_has_its_key_cannot_keep_the_service_busy(wall: Kit) -> None:
    found = [see(wall).status_code for _ in range(25)]
    assert found[0] == 200 and found.count(429) == 5


def test_rows_are_the_worst_and_say_how_many_are_not_shown(kit: Kit) -> None:
    let_display(kit)
    enter(kit)
    with kit.service.store.write() as link:
        held = dict(link.execute(ENCLOSURES.select()).one()._mapping)
        for at in range(2, 40):
            link.execute(ENCLOSURES.insert().values(**{
                **held, "id": at, "serial": f"S{at}", "origin": f"o{at}",
                "site": "hall 2" if at % 2 else "hall 1",
            }))  # fmt: skip
    row = see(kit, "/wall.json").json()
    assert (len(row["rows"]), row["more"], row["enclosures"]) == (wall_page.ROWS, 15, 39)
    row = see(kit, "/wall.json?q=hall+2").json()
    assert len(row["rows"]) + row["more"] == 19 and row["counts"]["UNKNOWN"] == 39
    assert "Only those with “hall 2”" in see(kit, "/wall?q=hall+2").text
    assert see(kit, "/wall.json?state=ARMED&page=7").json()["rows"]  # no more than q is asked


def told(capsys: pytest.CaptureFixture[str], *given: str, code: int = 0) -> Any:
    assert main(["fleet", *given, "--json"]) == code
    out = capsys.readouterr().out
    return json.loads(out) if out and code == 0 else out


def test_the_commands_let_in_list_and_shut_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, identity = str(tmp_path / "service"), tmp_path / "hall-1"
    told(capsys, "init", folder)
    given = ("display", folder, "hall-1", "--identity", str(identity), "--from", "10.1.2.3")
    row = told(capsys, *given)
    key, held, _ = pkcs12.load_key_and_certificates(
        (identity / "display.p12").read_bytes(), row["password"].encode()
    )
    assert held is not None and isinstance(key, ec.EllipticCurvePrivateKey)
    assert held.fingerprint(hashes.SHA256()).hex() == row["fingerprint"]
    assert (identity / "display.p12").stat().st_mode & 0o077 == 0
    name = held.subject.rfc4514_string()
    assert name == "CN=display hall-1"
    assert not broker_files._SERIAL.fullmatch(name.removeprefix("CN="))  # no controller's
    listed = told(capsys, "displays", folder)
    assert [(each["name"], each["network"]) for each in listed] == [("hall-1", "10.1.2.3/32")]
    told(capsys, *given, code=2)  # the folder is there
    again = ("display", folder, "hall-1", "--identity", str(tmp_path / "other"))
    told(capsys, *again, code=2)  # the name is taken
    assert not (tmp_path / "other").exists()
    told(capsys, "display", folder, "hall-1", "--remove")
    told(capsys, "display", folder, "hall-1", "--remove", code=1)
    assert told(capsys, "displays", folder) == []
    for bad in ("a b", "", "x" * 41, "a\n"):
        told(capsys, "display", folder, bad, "--identity", str(tmp_path / "bad"), code=2)


def request(key: Any, *, spoilt: bool = False) -> bytes:
    """Return a request for a certificate that wants to be an authority."""
    asked = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "UNIT-0001")])
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)  # fmt: skip
    made = asked.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    data = bytearray(made.public_bytes(serialization.Encoding.DER))
    if spoilt:
        data[-1] ^= 1
    loaded = x509.load_der_x509_csr(bytes(data))
    return loaded.public_bytes(serialization.Encoding.PEM)


def test_a_device_keeps_its_key_and_gets_nothing_that_it_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = str(tmp_path / "service"), tmp_path / "asked.pem"
    told(capsys, "init", folder)
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(request(key))
    row = told(capsys, "display", folder, "hall-2", "--request", str(file))
    made = x509.load_pem_x509_certificate(row["certificate"].encode())
    assert made.public_key() == key.public_key()
    assert made.subject.rfc4514_string() == "CN=display hall-2"
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    authority = x509.load_pem_x509_certificate(
        (tmp_path / "service" / "tls" / certificates.CA).read_bytes()
    )
    made.verify_directly_issued_by(authority)


@pytest.mark.parametrize("data", (
    b"x", request(ec.generate_private_key(ec.SECP256R1()), spoilt=True),
    request(ec.generate_private_key(ec.SECP192R1())),
    request(rsa.generate_private_key(65537, 2048)), request(ed25519.Ed25519PrivateKey.generate()),
))  # fmt: skip
def test_a_request_that_is_none_spoilt_or_weak_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        displays.requested_key(data)
