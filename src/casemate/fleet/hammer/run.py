"""A load generator: simulated enclosures that bring evidence to a real service, over TLS.

The service runs as a process of its own (`casemate fleet serve`), on this machine alone. Others
sign evidence (`hammer_makers`); this one plays controllers, each with its own certificate and a
connection of its own for each push, and one person who reads pages. All share the processors.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from casemate.core.progress import Work
from casemate.fleet.access import certificates, people
from casemate.fleet.hammer import child_process
from casemate.fleet.hammer.loading import Load, pushes
from casemate.fleet.hammer.plan import Figures
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store

PAGE_EVERY_S, QUIET_PAGES = 1.0, 20
HANDS = 24
"""Pushes under way at once at most."""


@dataclass(slots=True)
class Tally:
    """What has been counted so far. lock: of it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    times_s: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    late: int = 0
    said: str = ""


def run(load: Load, work: Work) -> Figures:
    """Run the service, bring the load to it, and return what was measured.

    InputError if what the enclosures have brought is too old by now.
    """
    code = _reader(load.place)
    with child_process.serving(load.place.folder) as child:
        pages = child_process.Reader(child.url, load.place.tls / certificates.CA, code)
        begin_s = load.begin_s()
        work.stage(f"waiting for the load to begin, then {load.plan.for_s:.0f} s", counted=False)
        return _measured(load, begin_s, child, pages, work)


def _measured(
    load: Load, begin_s: float, child: child_process.Child, pages: child_process.Reader,
    work: Work,
) -> Figures:  # fmt: skip
    plan, tally, stop = load.plan, Tally(), threading.Event()
    signed = pushes(load, begin_s)
    time.sleep(max(begin_s - time.time(), 0.0))
    pages_s: list[float] = []
    reading = threading.Thread(target=_read_often, args=(pages, pages_s, stop), daemon=True)
    work.stage("pushes", plan.pushes, "begun")
    cpu_s, begun = child.cpu_s(), time.monotonic()
    reading.start()
    first, ca = (plan.pushes, 0.0), load.place.tls / certificates.CA
    with ThreadPoolExecutor(HANDS, thread_name_prefix="controller") as hands:
        for number, body in enumerate(signed):
            which, at_s = plan.at(number)
            if (wait_s := begun + at_s - time.monotonic()) > 0:
                time.sleep(wait_s)
            if number == plan.enclosures:
                first = (len(tally.times_s), child.cpu_s() - cpu_s)
            work.step()
            hands.submit(bring, child.address, load.identity(which), ca, body, begun + at_s, tally)
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
        again=max(len(tally.times_s) - first[0], 0), again_cpu_s=cpu_s - first[1],
    )  # fmt: skip


def bring(
    address: tuple[str, int], identity: Path, ca: Path, body: bytes, due: float, tally: Tally
) -> None:
    """Bring one push over a connection of its own, and count what comes of it.

    identity: file with certificate and key of the enclosure. ca: of the service's authority.
    """
    late = time.monotonic() - due > 1.0
    try:
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(identity)
        begun = time.monotonic()
        link = http.client.HTTPSConnection(*address, timeout=60, context=context)
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


def _read_often(pages: child_process.Reader, found_s: list[float], stop: threading.Event) -> None:
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
