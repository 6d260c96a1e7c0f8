"""A permit's way through the pages: asked for by a form, signed on a party's machine, brought."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from fleet_kit import Brought, Kit

from casemate.attest import claims as c
from casemate.cli.main import main
from casemate.control.demo_parties import FORMAT
from casemate.core.suites import SUITES
from casemate.testing import honest_enclosure as honest

HOST, INSPECTOR = "host-operator", "inspector"


def form(**changes: str) -> dict[str, str]:
    """Return the fields of a request for the reader's place, for the four hours from the start."""
    given = {
        "action.open": "1", "action.replace": "1", "action.re-anchor": "1", "faces": "front",
        "modules": "reader-loop", "from": "2027-01-15T08:00", "until": "2027-01-15T12:00",
        "reason": "reader is noisy",
    }  # fmt: skip
    given.update(changes)
    return {key: value for key, value in given.items() if value != "-"}


def asked_for(kit: Kit, role: str = HOST, **changes: str) -> tuple[int, str]:
    """File a request of enclosure 1 and return its number and the technician's token."""
    answer = kit.post(role, "/enclosures/1/permits", **form(**changes))
    assert answer.status_code == 200, answer.text
    number = re.search(r"/permits/(\d+)\"", answer.text)
    token = re.search(r"<code class=\"token\">([A-Z2-7-]+)<", answer.text)
    assert number and token
    return int(number[1]), token[1]


def key_file(folder: Path, party: str) -> Path:
    """Write the keys of a party of the stories as a file that `casemate permit sign` reads."""
    seeds = {
        str(alg): hashlib.sha256(f"{alg} {party}".encode()).hexdigest()
        for alg in SUITES[honest.SUITE].algorithms
    }
    path = folder / f"{party}.json"
    path.write_text(json.dumps({"format": FORMAT, "seeds": seeds}))
    return path


def signed_at_home(kit: Kit, number: int, party: str, folder: Path) -> bytes:
    """Download a request and sign it by the command, on the party's own machine."""
    file, out = folder / "asked.cbor", folder / f"{party}.cbor"
    file.write_bytes(kit.client(HOST).get(f"/permits/{number}/file.cbor").content)
    key = str(key_file(folder, party))
    assert main(["permit", "sign", str(file), "--key", key, "-o", str(out)]) == 0
    return out.read_bytes()


def upload(kit: Kit, role: str, path: str, data: bytes) -> Any:
    """Bring a file as a browser does."""
    client = kit.client(role)
    return client.post(path, data={"csrf": kit.csrf[role]}, files={"file": ("x.cbor", data)})


def log(brought: Brought, digest: str, signed: bytes) -> None:
    """Have the enclosure put a permit into its log, as `casemate permit use` does."""
    story = brought.story
    story.token(c.PermitUse(act="logged", permit=bytes.fromhex(digest), signed=signed))
    story.seal()
