"""Files in deploy/: units that are shut tight, with commands that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from casemate.cli.fleet import SUBCOMMANDS
from outside_programs import program

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
UNITS = ("casemate-fleet.service", "casemate-fleet-backup.service")
MOST = 3.0
"""Exposure by systemd, of 10 (the issue's)."""


def exposure(unit: Path) -> float:
    """Return how exposed systemd finds a unit, from its file alone."""
    done = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found[1])


@pytest.mark.external
@pytest.mark.parametrize("name", UNITS)
def test_units_are_shut_tight(name: str, tmp_path: Path) -> None:
    assert exposure(DEPLOY / name) < MOST
    text = (DEPLOY / name).read_text(encoding="utf-8")
    open_ = re.sub(
        r"(?m)^(Protect|Private|Restrict|Capability|SystemCall|User|NoNew).*\n", "", text
    )
    (tmp_path / name).write_text(open_, encoding="utf-8")
    assert exposure(tmp_path / name) > MOST


def commands() -> list[list[str]]:
    """Return each call of casemate in the files, in what they say too."""
    lines = "\n".join((DEPLOY / each).read_text(encoding="utf-8") for each in UNITS)
    found = re.findall(r"/opt/casemate/bin/casemate fleet ([^'\n]+)", lines)
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    entry, given = (
        re.search(rf"(?m)^{name} (\[.*\])$", container) for name in ("ENTRYPOINT", "CMD")
    )
    assert entry is not None and entry[1].endswith('"fleet"]')
    assert given is not None
    return [*map(shlex.split, found), re.findall(r'"([^"]*)"', given[1])]


def test_commands_are_those_that_there_are() -> None:
    import argparse

    from casemate.cli import fleet

    parser = argparse.ArgumentParser()
    fleet.configure(parser)
    found = commands()
    assert [each[0] for each in found] == ["init", "serve", "backup", "serve"]
    for each in found:
        assert each[0] in {name for name, *_ in SUBCOMMANDS}
        parser.parse_args(each)
    with pytest.raises(SystemExit):
        parser.parse_args(["serve", "--no-such-thing"])


def test_nothing_runs_as_root_and_no_registry_is_named() -> None:
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    last = container.rindex("\nFROM ")
    assert "\nUSER casemate-fleet\n" in container[last:]
    images = re.findall(r"(?m)^FROM (\S+)|^ARG BASE=(\S+)", container)
    assert len(images) == 3
    assert all("/" not in name for each in images for name in each)
    assert "COPY . " not in container  # nor what lies in the checkout: keys, services, packages
    assert "--require-hashes" in container


@pytest.mark.external
def test_the_example_of_addresses_leaves_the_unit_as_tight(tmp_path: Path) -> None:
    name = "casemate-fleet.service"
    example = (DEPLOY / f"{name}.d" / "addresses.conf.example").read_text(encoding="utf-8")
    rules = [x for x in example.splitlines() if x and not x.startswith(("#", "["))]
    assert {each.partition("=")[0] for each in rules} == {
        "IPAccounting", "IPAddressDeny", "IPAddressAllow",
    }  # fmt: skip
    text = (DEPLOY / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(
        text.replace("[Install]", "\n".join((*rules, "", "[Install]"))), encoding="utf-8"
    )
    assert exposure(tmp_path / name) < exposure(DEPLOY / name)


def test_units_say_what_they_may_take_of_the_machine() -> None:
    service, backup = ((DEPLOY / each).read_text(encoding="utf-8") for each in UNITS)
    for each in (service, backup):
        for key in ("MemoryMax", "MemorySwapMax", "TasksMax", "CPUWeight", "IOWeight"):
            assert len(re.findall(rf"(?m)^{key}=\d+[GM]?$", each)) == 1, key
    weights = [int(re.search(r"(?m)^CPUWeight=(\d+)$", x)[1]) for x in (service, backup)]  # type: ignore[index]
    assert weights[0] > 100 > weights[1]
