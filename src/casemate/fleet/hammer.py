"""A load generator: simulated enclosures that bring evidence to a real service, over TLS.

All evidence is signed ahead, so that what is measured is the service. It runs as a process of its
own (`casemate fleet serve`), on this machine alone; this process plays controllers, each with its
own certificate and a connection of its own for each push, and one person who reads pages.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from casemate.control.demo_parties import demo_parties
from casemate.core.errors import InputError
from casemate.fleet import certificates, evidence, hammer_child, home, people
from casemate.fleet.hammer_enclosure import HammerEnclosure, witnesses
from casemate.fleet.home import Home
from casemate.fleet.intake import Intake, encode
from casemate.fleet.store import Store

MOST_ENCLOSURES, MOST_PUSHES, MOST_S = 20_000, 20_000, 1_800
"""Bounds (planning values): of evidence that is held in memory, and of time."""
LEAST_PERIOD_S = 5
SETTLE_S = 2.0
PAGE_EVERY_S, QUIET_PAGES = 1.0, 20
HANDS = 24
"""Pushes under way at once at most."""
_TOGETHER = 200
"""Enclosures that are entered in one transaction."""
_SPARE = 1.25
"""Of the time that making evidence is expected to take, how much it gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. period_s: between two tokens of an enclosure. for_s: of the load."""

    enclosures: int
    period_s: int
    for_s: float

    def __post_init__(self) -> None:
        _bounded("--enclosures", self.enclosures, 1, MOST_ENCLOSURES)
        _bounded("--period", self.period_s, LEAST_PERIOD_S, 3600)
        _bounded("--for", self.for_s, 1, MOST_S)
        _bounded("pushes in all", self.pushes, 1, MOST_PUSHES)

    @property
    def rate(self) -> float:
        """Return pushes a second."""
        return self.enclosures / self.period_s

    @property
    def pushes(self) -> int:
        """Return how many pushes there are."""
        return max(int(self.rate * self.for_s), 1)

    def at(self, number: int) -> tuple[int, float]:
        """Return which enclosure brings push `number`, and when, in seconds from the start."""
        return number % self.enclosures, number / self.rate


def _bounded(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InputError(
            f"{value:g} is out of bounds.", remedy=f"choose {least:g} to {most:g}.", key=what
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured. Times in seconds; cpu: seconds of processor time of the service.

    page_cpu_s: for one page of the fleet, after the load. memory_bytes: of the service, at the end.
    late: pushes that began over a second after their time: this process was too slow.
    """

    plan: Plan
    done: int
    refused: int
    failed: int
    late: int
    wall_s: float
    cpu_s: float
    acknowledged_s: Sequence[float]
    pages_s: Sequence[float]
    page_cpu_s: float
    memory_bytes: int
    states: dict[str, int]
    said: str = ""

    @property
    def rate(self) -> float:
        """Return acknowledged pushes a second."""
        return self.done / self.wall_s

    @property
    def keeps_up(self) -> bool:
        """Return whether all that was brought was acknowledged, at the rate that was asked."""
        return self.done == self.plan.pushes and self.rate >= 0.95 * self.plan.rate

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain data."""
        return {
            "enclosures": self.plan.enclosures,
            "period_s": self.plan.period_s,
            "heartbeats_per_s": self.plan.enclosures,
            "asked_per_s": round(self.plan.rate, 3),
            "sustained_per_s": round(self.rate, 3),
            "keeps_up": self.keeps_up,
            "pushes": self.plan.pushes,
            "acknowledged": self.done,
            "refused": self.refused,
            "failed": self.failed,
            "late": self.late,
            "wall_s": round(self.wall_s, 3),
            "acknowledged_p50_ms": round(1000 * share(self.acknowledged_s, 0.5), 2),
            "acknowledged_p99_ms": round(1000 * share(self.acknowledged_s, 0.99), 2),
            "service_cpu_s": round(self.cpu_s, 3),
            "service_cores": round(self.cpu_s / self.wall_s, 4),
            "cpu_ms_per_push": round(1000 * self.cpu_s / max(self.done, 1), 3),
            "page_p50_ms": round(1000 * share(self.pages_s, 0.5), 1),
            "page_worst_ms": round(1000 * max(self.pages_s, default=0.0), 1),
            "pages": len(self.pages_s),
            "page_cpu_ms": round(1000 * self.page_cpu_s, 1),
            "memory_mb": round(self.memory_bytes / 1e6, 1),
            "states": self.states,
            "said": self.said,
        }


def share(values: Sequence[float], part: float) -> float:
    """Return the value that `part` of all do not exceed; 0.0 of none."""
    ranked = sorted(values)
    return ranked[min(int(part * len(ranked)), len(ranked) - 1)] if ranked else 0.0


@dataclass(slots=True)
class Tally:
    """What has been counted so far. lock: of it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    times_s: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    late: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Evidence that waits to be brought. start_s: Unix time of the first push."""

    place: Home
    start_s: float
    pushes: tuple[bytes, ...]
    identities: Path


def prepare(folder: Path, plan: Plan, tell: Callable[[str], None]) -> Load:
    """Make a service in a new folder, enter the enclosures, and sign what they will bring."""
    place = home.make(folder, "localhost")
    begun, parties, seen_by = time.time(), demo_parties(folder / "parties"), witnesses()
    made = [
        HammerEnclosure(at, seen_by, [each.party for each in parties], plan.period_s)
        for at in range(plan.enclosures)
    ]
    tell(f"{plan.enclosures} enclosures have keys")
    (sample := HammerEnclosure(0, seen_by, [parties[0].party], 60)).commission(int(begun))
    before_s = time.time()
    for at in range(20):
        sample.batch(int(begun) + 60 * (at + 1))
    each_s = (time.time() - before_s) / 20
    about_s = 5 + _SPARE * each_s * (4.5 * plan.enclosures + plan.pushes)
    start_s = time.time() + about_s
    tell(f"evidence is signed ahead, in about {about_s:.0f} s")
    _enter(place, plan, made, start_s, tell)
    pushes = []
    for number in range(plan.pushes):
        which, at_s = plan.at(number)
        pushes.append(encode(made[which].batch(int(start_s + at_s))))
    tell(f"{len(pushes)} pushes are signed")
    return Load(
        place=place, start_s=start_s, pushes=tuple(pushes), identities=folder / "identities"
    )


def _enter(
    place: Home, plan: Plan, made: Sequence[HammerEnclosure], start_s: float,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Enter the enclosures, each with what it has brought a period before its first push."""
    (folder := place.folder / "identities").mkdir(mode=0o700)
    store, issuer = place.opened(), certificates.Issuer(place.tls)
    intake = Intake(store, lambda: start_s, kept=_TOGETHER)
    try:
        for begin in range(0, len(made), _TOGETHER):
            some = range(begin, min(begin + _TOGETHER, len(made)))
            firsts = {
                at: made[at].commission(int(start_s + at / plan.rate) - plan.period_s)
                for at in some
            }
            with store.write() as link:
                numbers = {at: _entered(link, made[at], at, issuer, folder) for at in some}
            with store.write():
                for at, first in firsts.items():
                    intake.take(numbers[at], first)
            tell(f"{min(begin + _TOGETHER, len(made))} enclosures have brought their beginning")
    finally:
        store.close()


def _entered(
    link: Connection, made: HammerEnclosure, at: int, issuer: certificates.Issuer, folder: Path
) -> int:
    """Enter an enclosure, and let its controller in; return its id."""
    issued, now_s = issuer.issue(made.serial), int(time.time())
    number = evidence.add(
        link, reference=made.reference(), policy=made.policy(), serial=made.serial,
        kind="camera", site=f"hall {at // 500}", now_s=now_s,
    )  # fmt: skip
    evidence.let(link, number, issued.fingerprint, now_s)
    (folder / f"{at}.pem").write_bytes(issued.certificate + issued.key)
    return number


def run(load: Load, plan: Plan, tell: Callable[[str], None]) -> Figures:
    """Run the service, bring the load to it, and return what was measured."""
    code = _reader(load.place)
    with hammer_child.serving(load.place.folder) as child:
        pages = hammer_child.Reader(child.url, load.place.tls / certificates.CA, code)
        if (wait_s := load.start_s - time.time()) > 0:
            tell(f"the load begins in {wait_s:.0f} s")
            time.sleep(wait_s)
        else:
            time.sleep(SETTLE_S)
        return _measured(load, plan, child, pages)


def _measured(
    load: Load, plan: Plan, child: hammer_child.Child, pages: hammer_child.Reader
) -> Figures:
    tally, stop = Tally(), threading.Event()
    host, port = child.address
    pages_s: list[float] = []
    reading = threading.Thread(target=_read_often, args=(pages, pages_s, stop), daemon=True)
    cpu_s, begun = child.cpu_s(), time.monotonic()
    reading.start()
    with ThreadPoolExecutor(HANDS, thread_name_prefix="controller") as hands:
        for number, body in enumerate(load.pushes):
            which, at_s = plan.at(number)
            if (wait_s := begun + at_s - time.monotonic()) > 0:
                time.sleep(wait_s)
            identity, ca = load.identities / f"{which}.pem", load.place.tls / certificates.CA
            hands.submit(bring, host, port, identity, ca, body, begun + at_s, tally)
    wall_s = max(time.monotonic() - begun, plan.pushes / plan.rate)
    cpu_s = child.cpu_s() - cpu_s
    stop.set()
    reading.join()
    page_cpu_s = -child.cpu_s()
    for _ in range(QUIET_PAGES):
        pages.fleet_s()
    page_cpu_s = (page_cpu_s + child.cpu_s()) / QUIET_PAGES
    return Figures(
        plan=plan, done=len(tally.times_s), refused=tally.refused, failed=tally.failed,
        late=tally.late, wall_s=wall_s, cpu_s=cpu_s, acknowledged_s=tuple(tally.times_s),
        pages_s=tuple(pages_s), page_cpu_s=page_cpu_s, memory_bytes=child.memory_bytes(),
        states=pages.states(), said=tally.said,
    )  # fmt: skip


def bring(
    host: str, port: int, identity: Path, ca: Path, body: bytes, due: float, tally: Tally
) -> None:
    """Bring one push over a connection of its own, and count what comes of it."""
    late = time.monotonic() - due > 1.0
    try:
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(identity)
        begun = time.monotonic()
        link = http.client.HTTPSConnection(host, port, timeout=60, context=context)
        try:
            link.request("POST", "/evidence", body=body)
            answer = link.getresponse()
            said = answer.read(100_000)
        finally:
            link.close()
    except (OSError, http.client.HTTPException) as error:
        with tally.lock:
            tally.failed += 1
            tally.late += late
            tally.said = tally.said or str(error)
        return
    with tally.lock:
        tally.late += late
        if answer.status == 200:
            tally.times_s.append(time.monotonic() - begun)
        else:
            tally.refused += 1
            tally.said = tally.said or f"{answer.status} {said[:200].decode(errors='replace')}"


def _read_often(pages: hammer_child.Reader, found_s: list[float], stop: threading.Event) -> None:
    while not stop.wait(PAGE_EVERY_S):
        found_s.append(pages.fleet_s())


def _reader(place: Home) -> str:
    """Enter who reads the pages, and return a code to sign in with."""
    store: Store = place.opened()
    with store.write() as link:
        people.add(link, "reader", "auditor", "hammer")
        code = people.new_code(link, "reader", int(time.time()))
    store.close()
    return code
