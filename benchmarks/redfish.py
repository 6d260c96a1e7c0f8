"""Redfish: a fleet read by `$expand` page by page, and by GETs one by one, in one run.

The service is a process of its own behind TLS; its CPU time is what the kernel counted for it. All
enclosures are copies of one whose evidence is real: each read decodes reference values and tokens.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.frame import ROOT, Figure

if TYPE_CHECKING:
    import httpx

MANY, DEEP = 1000, 100
"""Enclosures in all; of which all sensors and components are read too."""
FLAT, ALL = f"chassis of {MANY:,}", f"all of {DEEP}"
LEAST = {FLAT: 1.2, ALL: 4.0}
"""How many times the CPU of one expansion GETs have to cost (targets of ours)."""
FOR_S = 6.0
"""For which others are asked while expansions are made."""
V1 = "/redfish/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What reading cost: requests, bytes of bodies, CPU seconds of the service, wall seconds."""

    requests: int
    size: int
    cpu_s: float
    wall_s: float
    seen: frozenset[str]


def run() -> list[Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="casemate-redfish-") as folder, served(folder) as given:
        return list(_measured(*given))


def _measured(pid: int, client: httpx.Client, more: list[httpx.Client]) -> Iterator[Figure]:
    list(_pages(client, f"{V1}/Chassis"))  # what is compiled and imported once
    flat = f"{V1}/Chassis?$expand=."
    deep = f"{V1}/Chassis?$expand=.($levels=3)&$top={DEEP}"
    kinds = {
        FLAT: (_cost(pid, client, _one_by_one(MANY, 0)), _cost(pid, client, _by_pages(flat))),
        ALL: (_cost(pid, client, _one_by_one(DEEP, 2)), _cost(pid, client, _by_pages(deep))),
    }
    for name, (one, many) in kinds.items():
        if not one.seen <= many.seen:
            raise RuntimeError(f"{name}: {sorted(one.seen - many.seen)[:3]} is in no expansion")
        for how, cost in (("GETs", one), ("$expand", many)):
            yield _figure(f"{name}, by {how}: requests", cost.requests, "1")
            yield _figure(f"{name}, by {how}: CPU of the service", 1000 * cost.cpu_s, "ms")
            yield _figure(f"{name}, by {how}: bytes", cost.size / 1e3, "kB")
        ratio = one.cpu_s / many.cpu_s
        yield _figure(f"{name}: CPU of GETs over that of $expand", ratio, "1", LEAST[name])
    cost = _cost(pid, client, _by_pages(f"{V1}/Chassis?$filter=Status/Health ne 'OK'"))
    yield _figure(f"what is not OK of {MANY:,}, by $filter: CPU", 1000 * cost.cpu_s, "ms")
    yield from _beside(client, more, deep)


def _figure(name: str, value: float, unit: str, least: float | None = None) -> Figure:
    return Figure(benchmark="redfish", name=name, value=value, unit=unit, target=least, sense=">=")


def _pages(client: httpx.Client, path: str) -> Iterator[tuple[bytes, Any]]:
    while path:
        answer = client.get(path).raise_for_status()
        row = answer.json()
        yield answer.content, row
        path = row.get("Members@odata.nextLink", "")


def _by_pages(path: str) -> Any:
    def read(client: httpx.Client) -> Iterator[tuple[bytes, Any]]:
        yield from _pages(client, path)

    return read


def _one_by_one(count: int, levels: int) -> Any:
    """Return what reads chassis, and what is below each, by links outside `Links`."""

    def below(client: httpx.Client, path: str, left: int) -> Iterator[tuple[bytes, Any]]:
        answer = client.get(path).raise_for_status()
        yield answer.content, answer.json()
        if left:
            for each in _links(answer.json()):
                yield from below(client, each, left - 1)

    def read(client: httpx.Client) -> Iterator[tuple[bytes, Any]]:
        found: list[str] = []
        for content, row in _pages(client, f"{V1}/Chassis?$top={count}"):
            yield content, {key: row[key] for key in row if key != "Members"}
            found += [each["@odata.id"] for each in row["Members"]]
        for each in found:
            yield from below(client, each, levels)

    return read


def _links(value: Any) -> list[str]:
    if isinstance(value, list):
        return [each for item in value for each in _links(item)]
    if not isinstance(value, dict):
        return []
    if set(value) == {"@odata.id"}:
        return [value["@odata.id"]]
    return [x for name, item in value.items() if name != "Links" for x in _links(item)]


def _whole(value: Any) -> Iterator[str]:
    """Yield the paths of resources that are there whole."""
    if isinstance(value, list):
        for each in value:
            yield from _whole(each)
    elif isinstance(value, dict):
        if "@odata.id" in value and "@odata.etag" in value:
            yield value["@odata.id"]
        for each in value.values():
            yield from _whole(each)


def _cost(pid: int, client: httpx.Client, read: Any) -> Cost:
    begun_s, before_s, count, size, seen = time.monotonic(), cpu_s(pid), 0, 0, set()
    for content, row in read(client):
        count, size = count + 1, size + len(content)
        seen |= set(_whole(row))
    return Cost(requests=count, size=size, cpu_s=cpu_s(pid) - before_s, seen=frozenset(seen),
                wall_s=time.monotonic() - begun_s)  # fmt: skip


def _beside(client: httpx.Client, more: list[httpx.Client], path: str) -> Iterator[Figure]:
    """Yield how long others wait while expansions are made without a pause."""
    stop, made = threading.Event(), []

    def expand(mine: httpx.Client) -> None:
        while not stop.is_set():
            begun_s = time.monotonic()
            mine.get(path).raise_for_status()
            made.append(time.monotonic() - begun_s)

    threads = [threading.Thread(target=expand, args=(each,)) for each in more]
    for each in threads:
        each.start()
    waited, until_s = [], time.monotonic() + FOR_S
    while time.monotonic() < until_s:
        begun_s = time.monotonic()
        client.get(f"{V1}/").raise_for_status()
        waited.append(time.monotonic() - begun_s)
        time.sleep(0.01)
    stop.set()
    for each in threads:
        each.join()
    waited.sort()
    yield _figure("an expansion, two at once, worst", 1000 * max(made), "ms")
    yield _figure("the root meanwhile, p50", 1000 * waited[len(waited) // 2], "ms")
    yield _figure("the root meanwhile, worst", 1000 * waited[-1], "ms")


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: str) -> Iterator[tuple[int, httpx.Client, list[httpx.Client]]]:
    """Yield the process of a service, a client with a session, and two more of other accounts."""
    import httpx

    code = [sys.executable, "-m", "benchmarks.redfish", folder]
    with subprocess.Popen(code, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        said = json.loads(child.stdout.readline())
        trust, clients = ssl.create_default_context(cafile=said["ca"]), []
        for name, password in said["accounts"].items():
            client = httpx.Client(base_url=said["url"], verify=trust, timeout=120)
            body = {"UserName": name, "Password": password}
            begun = client.post(f"{V1}/SessionService/Sessions", json=body).raise_for_status()
            client.headers["X-Auth-Token"] = begun.headers["x-auth-token"]
            clients.append(client)
        try:
            yield child.pid, clients[0], clients[1:]
        finally:
            for client in clients:
                client.close()
            child.stdin.close()  # it ends then


def serve(folder: Path) -> None:
    """Serve until nobody holds the other end of the standard input any more."""
    from casemate.fleet.redfish import accounts
    from casemate.fleet.redfish.app import RedfishApp
    from casemate.fleet.redfish.asked import Redfish
    from casemate.fleet.redfish.gate import Limited
    from casemate.fleet.service import home
    from casemate.fleet.service.application import application
    from casemate.fleet.web.gate import Limits
    from casemate.fleet.web.server import Server

    place, wide = home.make(folder / "service", "localhost"), Limits(per_s=1e9, burst=1e9)
    with home.running(place) as service:
        _enter(service)
        with service.store.write() as link:
            given = {
                name: accounts.add_here(link, name, "ReadOnly", "hostland")
                for name in ("reader", "first", "second")
            }
        redfish = RedfishApp(Redfish(service=service), Limited(all_=wide, wrong=wide))
        server = Server(application(service, redfish=redfish), "127.0.0.1", 0, tls=place.tls)
        try:
            said = {"url": f"https://localhost:{server.port}", "ca": str(place.tls / "ca.pem"),
                    "accounts": given}  # fmt: skip
            print(json.dumps(said), flush=True)
            sys.stdin.read()
        finally:
            server.close()


def _enter(service: Any) -> None:
    """Enter one enclosure with its evidence, and copies of it."""
    from sqlalchemy import insert, select

    from casemate.attest.reference_write import as_json
    from casemate.fleet.appraisal import evidence
    from casemate.fleet.intake.ingest import Submission
    from casemate.fleet.store.schema import ENCLOSURES, ENTRIES, VERDICTS
    from casemate.testing import honest_enclosure as honest

    story = honest.armed()
    with service.store.write() as link:
        number = evidence.add(
            link, reference=as_json(honest.reference()).encode(), policy=honest.policy_text(),
            serial=honest.SERIAL, kind="nvl72", site="hall 1", now_s=service.now_s(),
        )  # fmt: skip
    service.intake.take(number, Submission(first=0, entries=story.entries, notes=story.notes))
    with service.store.write() as link:
        row = dict(link.execute(select(ENCLOSURES)).one()._mapping)
        now_s, known = service.now_s(), dict(link.execute(select(VERDICTS)).one()._mapping)
        fresh = {"state": "ARMED", "seen_s": now_s, "fresh_until_s": now_s + 86_400}
        verdict = {**known, **fresh}
        entries = [dict(each._mapping) for each in link.execute(select(ENTRIES))]
        for at in range(2, MANY + 1):
            values = bytes(row["reference"]).replace(row["serial"].encode(), b"S%d" % at)
            more = {"id": at, "serial": f"S{at}", "origin": f"example.org/{at}"}
            link.execute(insert(ENCLOSURES).values({**row, **more, "reference": values}))
            link.execute(insert(VERDICTS).values({**verdict, "enclosure_id": at}))
            link.execute(insert(ENTRIES), [{**each, "enclosure_id": at} for each in entries])


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
