"""The beginning of a load: a service in a new folder, and enclosures that have begun.

When the load begins is said ahead, since evidence bears times: how long the enclosures take is
reckoned from some of them that are thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from casemate.control.demo_parties import demo_parties
from casemate.core.errors import InputError
from casemate.core.progress import Work
from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence, walks
from casemate.fleet.hammer.enclosure import BEFORE_S
from casemate.fleet.hammer.makers import TOGETHER, Made, Makers, ahead
from casemate.fleet.hammer.plan import Plan
from casemate.fleet.intake.ingest import Intake
from casemate.fleet.service import home
from casemate.fleet.service.home import Home

AHEAD, _GROUPS_AHEAD = 64, 4
"""Pushes, and shares of enclosures, that are signed before they are waited for."""
_SAMPLE = 100
_SPARE, _SPARE_S = 1.15, 5.0
"""Of the time that enclosures are expected to take, how much they get; and how much more."""
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Enclosures that wait to bring evidence. start_s: Unix time at which the first push is due.

    signed: what an enclosure brings next, with all up to a Unix time.
    """

    place: Home
    plan: Plan
    start_s: float
    signed: Callable[[int, int], Future[bytes]]

    def identity(self, number: int) -> Path:
        """Return the file with an enclosure's certificate and key."""
        return self.place.folder / "identities" / f"{number}.pem"

    def begin_s(self) -> float:
        """Return when the load can begin, now that all is ready. InputError if that is too late."""
        begin_s = max(self.start_s, time.time() + SETTLE_S)
        if begin_s - self.start_s > BEFORE_S - 10:
            raise InputError(
                f"the enclosures were ready {begin_s - self.start_s:.0f} s later than expected: "
                "what they have brought is too old.",
                remedy="do it on a machine that does nothing else, or with fewer enclosures.",
                key="--enclosures",
            )
        return begin_s


@contextmanager
def prepared(folder: Path, plan: Plan, work: Work) -> Iterator[Load]:
    """Make a service in a new folder and enter the enclosures; yield what they will bring.

    InputError if there is a service.
    """
    place = home.make(folder, "localhost")
    parties = [each.party for each in demo_parties(folder / "parties")]
    with Makers(parties, plan.period_s) as makers:
        work.stage("seeing how long enclosures take to begin", counted=False)
        each_s = _sampled(folder / "sample", plan, makers)
        about_s = _SPARE * each_s * plan.enclosures + _SPARE_S
        work.stage("bringing their beginning", plan.enclosures, "enclosures")
        start_s = time.time() + about_s
        _enter(place, makers, _firsts(plan, start_s), start_s, work)
        yield Load(place=place, plan=plan, start_s=start_s, signed=makers.push)


def _firsts(plan: Plan, start_s: float) -> dict[int, int]:
    """Return when each enclosure brings its beginning: a period before its first push."""
    return {at: int(start_s + at / plan.rate) - plan.period_s for at in range(plan.enclosures)}


def _sampled(folder: Path, plan: Plan, makers: Makers) -> float:
    """Return how long an enclosure takes to begin and to be entered, in seconds."""
    now_s, some = time.time(), range(min(plan.enclosures, _SAMPLE))
    place = home.make(folder, "localhost")
    for each in makers.begin(dict.fromkeys(some, int(now_s))):
        each.result()  # the processes have started, and loaded what they need
    begun = time.monotonic()
    _enter(place, makers, dict.fromkeys(some, int(now_s)), now_s, Work("sample"))
    return (time.monotonic() - begun) / len(some)


def _enter(place: Home, makers: Makers, firsts: dict[int, int], now_s: float, work: Work) -> None:
    """Enter enclosures as they begin, each with what it has brought first."""
    (folder := place.folder / "identities").mkdir(mode=0o700)
    store, issuer = place.opened(), certificates.Issuer(place.tls)
    intake = Intake(store, lambda: now_s, kept=TOGETHER, key=walks.key_in(place.folder))
    whole = list(firsts.items())
    groups = (dict(whole[at : at + TOGETHER]) for at in range(0, len(whole), TOGETHER))
    asked = (share for group in groups for share in makers.begin(group))
    try:
        for some in ahead(asked, _GROUPS_AHEAD):
            with store.write() as link:
                numbers = [_entered(link, each, issuer, folder) for each in some]
            with store.write():
                for number, each in zip(numbers, some, strict=True):
                    intake.take(number, each.first)
            work.step(len(some))
    finally:
        store.close()


def _entered(link: Connection, made: Made, issuer: certificates.Issuer, folder: Path) -> int:
    """Enter an enclosure, and let its controller in; return its id."""
    issued, now_s = issuer.issue(made.serial), int(time.time())
    number = evidence.add(
        link, reference=made.reference, policy=made.policy, serial=made.serial,
        kind="camera", site=f"hall {made.number // 500}", now_s=now_s,
    )  # fmt: skip
    evidence.let(link, number, issued.fingerprint, now_s)
    (folder / f"{made.number}.pem").write_bytes(issued.certificate + issued.key)
    return number


def pushes(load: Load, begin_s: float) -> Iterator[bytes]:
    """Yield all pushes in the order in which they are due. begin_s: Unix time of the first."""
    due = (load.plan.at(number) for number in range(load.plan.pushes))
    return ahead((load.signed(which, int(begin_s + at_s)) for which, at_s in due), AHEAD)
