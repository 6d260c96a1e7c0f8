"""Passkeys in Debian's Chromium, with its virtual authenticator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter, kit_in
from sqlalchemy import select

from casemate.fleet.access import people
from casemate.fleet.service.application import application
from casemate.fleet.store.schema import ACT_SIGNATURES
from casemate.fleet.web.server import Server
from outside_programs import package, program

pytestmark = [pytest.mark.slow, pytest.mark.external, pytest.mark.timeout(300)]


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of Chromium with a virtual authenticator."""
    found = program("chromium")
    driver = package("playwright.sync_api")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        made = browser.new_context().new_page()
        link = made.context.new_cdp_session(made)
        link.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        link.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield made
        browser.close()


def alarm(kit: Kit) -> None:
    """Have an enclosure tampered with."""
    brought = enter(kit)
    bring(kit, brought)
    brought.story.watch(verdict="TAMPER")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200


def test_a_person_registers_signs_in_and_signs_an_act(page: Any, tmp_path: Path) -> None:
    with kit_in(tmp_path) as kit:
        alarm(kit)
        kit.service = replace(kit.service, name="localhost", passkeys=True, secure=False)
        with kit.service.store.write() as link:
            code = people.new_code(link, "inspector one", kit.service.now_s())
        server = Server(application(kit.service), "127.0.0.1", 0)
        try:
            url = f"http://localhost:{server.port}"
            page.goto(f"{url}/sign-in")
            page.get_by_label("Code").fill(code)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{url}/fleet")
            page.goto(f"{url}/passkeys")
            page.get_by_role("button", name="Register a passkey").click()
            page.get_by_text(", registered").wait_for()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("link", name="sign in with a passkey").click()
            page.get_by_role("button", name="Sign in with a passkey").click()
            page.wait_for_url(f"{url}/fleet")
            page.goto(f"{url}/incidents/1")
            page.get_by_label("Outcome").select_option("explained")
            page.get_by_label("Reason").fill("opened by “ann”,\nsee permit № 7 <b>&")
            page.get_by_role("button", name="Propose to a second person").click()
            page.get_by_text("proposed “explained”").first.wait_for()
        finally:
            server.close()
        with kit.service.store.read() as link:
            assert len(link.execute(select(ACT_SIGNATURES)).all()) == 1
