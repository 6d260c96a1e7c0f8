"""Commands for machines that read by Redfish, and what they leave behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from casemate.cli import main
from casemate.fleet.redfish import accounts, destinations
from casemate.fleet.service import home
from casemate.fleet.store.schema import ERRANDS


def test_accounts_and_receivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "service")
    place = home.make(tmp_path / "service", "localhost")
    given = ["--party", "hostland", "--json"]
    assert main(["fleet", "account", folder, "exporter", "--role", "Operator", *given]) == 0
    row = json.loads(capsys.readouterr().out)
    assert main(["fleet", "account", folder, "exporter", *given]) == 2  # the name is taken
    assert main(["fleet", "account", folder, "other", "--role", "root", *given]) == 2
    assert "ReadOnly" in capsys.readouterr().err
    assert main(["fleet", "receivers", folder, "--allow", "10.20.0.0/16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"networks": ["10.20.0.0/16"]}
    assert main(["fleet", "receivers", folder, "--allow", "127.0.0.0/8"]) == 2
    store = place.opened()
    with store.read() as link:
        found = accounts.by_name(link, "exporter")
        assert found is not None and (found.role, found.party) == ("Operator", "hostland")
        assert accounts.Passwords().are_right(found.secret, row["password"], 0.0)
        assert row["password"] not in found.secret and len(row["password"]) == 48
        assert len(destinations.networks(link)) == 1
        told = [each.what for each in link.execute(select(ERRANDS))]
    assert [each.partition(": ")[2] for each in told] == [
        "enter an account of Redfish as Operator of hostland", "allow events to a network",
    ]  # fmt: skip
    assert main(["fleet", "account", folder, "exporter", "--party", "x", "--remove"]) == 0
    assert main(["fleet", "account", folder, "exporter", "--party", "x", "--remove"]) == 2
    assert main(["fleet", "receivers", folder, "--forbid", "10.20.0.0/16"]) == 0
    assert "nowhere" in capsys.readouterr().out
    with store.read() as link:
        assert accounts.by_name(link, "exporter") is None
    store.close()
