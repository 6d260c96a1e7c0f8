"""What calls a service that runs on another network: `python unit_callers.py WHAT …`.

Prints a JSON object a line. Certificates and keys are read on this machine.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from casemate.fleet.access import certificates

HOST, PORT, SYSLOG = "localhost", 7390, 6514


def tell(**row: object) -> None:
    print(json.dumps(row), flush=True)


def push(folder: str, first: str, last: str) -> None:
    """Bring pushes first to last out of a folder, each for its enclosure, until one fails."""
    from casemate.fleet.hammer import run

    base, tally = Path(folder), run.Tally()
    count = len(list((base / "identities").iterdir()))
    for number in range(int(first), int(last)):
        before = len(tally.times_s)
        run.bring(
            (HOST, PORT), base / "identities" / f"{number % count}.pem", base / "tls" / "ca.pem",
            (base / "pushes" / str(number)).read_bytes(), 0.0, tally,
        )  # fmt: skip
        if len(tally.times_s) == before:
            tell(failed=number, said=tally.said)
            return
        tell(acknowledged=number)


def syslog(folder: str, for_s: str) -> None:
    """Receive syslog over TLS with the service's own certificate, and print what comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        Path(folder) / "tls" / certificates.CERTIFICATE, Path(folder) / "tls" / certificates.KEY
    )
    end_s = time.monotonic() + float(for_s)
    with socket.create_server(("127.0.0.1", SYSLOG)) as server:
        server.settimeout(float(for_s))
        plain, _ = server.accept()
        with context.wrap_socket(plain, server_side=True) as link:
            link.settimeout(2.0)
            data = b""
            while time.monotonic() < end_s and b"intrusion" not in data:
                try:
                    data += link.recv(65536)
                except TimeoutError:
                    continue
    tell(said=data.decode(errors="replace"))


def passkey(folder: str, code: str) -> None:
    """Sign in with a code, register a passkey, and sign in with that."""
    import httpx
    from soft_authenticator import SoftAuthenticator

    ca = ssl.create_default_context(cafile=str(Path(folder) / "tls" / "ca.pem"))
    origin = f"https://{HOST}:{PORT}"
    device = SoftAuthenticator(rp=HOST, origin=origin)

    def given(text: str, name: str, pattern: str) -> str:
        found = re.search(pattern, text)
        assert found, (name, text[:2000])
        return unescape(found[1])

    with httpx.Client(base_url=origin, verify=ca, headers={"Origin": origin}) as browser:
        answer = browser.post("/sign-in", data={"code": code})
        assert answer.status_code == 303, answer.text
        shown = browser.get("/passkeys").text
        nonce = given(shown, "nonce", r'name="nonce" value="([^"]+)"')
        csrf = given(shown, "csrf", r'name="csrf" value="([^"]+)"')
        options = json.loads(given(shown, "options", r'data-options="([^"]+)"'))
        made = device.create(options["challenge"])
        form = urlencode({"csrf": csrf, "nonce": nonce, "passkey": made})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        tell(registered=browser.post("/passkeys", content=form, headers=kind).status_code)
    with httpx.Client(base_url=origin, verify=ca, headers={"Origin": origin}) as browser:
        shown = browser.get("/sign-in/passkey").text
        nonce = given(shown, "nonce", r'name="nonce" value="([^"]+)"')
        options = json.loads(given(shown, "options", r'data-options="([^"]+)"'))
        form = urlencode({"nonce": nonce, "passkey": device.sign(options["challenge"])})
        answer = browser.post("/sign-in/passkey", content=form, headers=kind)
        fleet = browser.get("/fleet")
        tell(
            signed_in=answer.status_code,
            page=fleet.status_code,
            unwell="Not all is well" in fleet.text,
        )


if __name__ == "__main__":
    {"push": push, "syslog": syslog, "passkey": passkey}[sys.argv[1]](*sys.argv[2:])
