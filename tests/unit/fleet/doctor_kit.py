"""A service that was run, made once a module, and copies of it that tests may break."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fleet_kit
from fleet_kit import Clock

from casemate.attest.reference_write import as_json
from casemate.fleet.access import people
from casemate.fleet.appraisal import evidence
from casemate.fleet.intake.ingest import Submission
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.testing import honest_enclosure as honest

NOW_S = honest.START_S + 400


def well(folder: Path) -> Path:
    """Make a service with one enclosure and one person, run it, and return its folder."""
    made, clock = home.make(folder / "fleet", "localhost"), Clock(NOW_S)
    with home.running(made, clock=clock) as service:
        with service.store.write() as link:
            number = evidence.add(
                link, reference=as_json(honest.reference()).encode(), serial=honest.SERIAL,
                policy=honest.policy_text(), kind="camera", site="hall 1", now_s=NOW_S,
            )  # fmt: skip
            evidence.let(link, number, "ab" * 32, NOW_S)
            people.add(link, "ann", "inspector", "peerland")
        story = honest.armed(5)
        clock.now_s = story.now_s + 5
        service.intake.take(number, Submission(first=0, entries=story.entries, notes=story.notes))
        errands.take_over(service.store, service.audit)
    return made.folder


def copied(seed: Path, folder: Path) -> Home:
    """Return a copy of a service with its database, which lies in it if it is of SQLite."""
    shutil.copytree(seed, folder)
    store = f"sqlite:///{folder / home.DATABASE}"
    if fleet_kit.COPIES is not None:
        store = fleet_kit.COPIES(home.read(seed).store, folder)
    change(folder, store=store)
    return home.read(folder)


def change(folder: Path, **changes: object) -> None:
    """Change the settings of a service."""
    path = folder / home.SETTINGS
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
