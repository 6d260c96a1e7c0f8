"""The units as systemd runs them, in a machine of its own: start, kill, passkey, alarm, backup."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machine_kit import Machine, machine

from casemate.control.demo_parties import demo_parties
from casemate.core.progress import Work
from casemate.fleet.appraisal import evidence
from casemate.fleet.care import backup
from casemate.fleet.hammer import loading
from casemate.fleet.hammer.enclosure import HammerEnclosure, witnesses
from casemate.fleet.hammer.plan import Plan
from casemate.fleet.intake import ingest
from casemate.fleet.service import home
from casemate.fleet.store.database import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVICE, BACKUP = "casemate-fleet.service", "casemate-fleet-backup.service"
TIMER = "casemate-fleet-backup.timer"
HERE = Path(__file__).parent
DROP_IN = "/run/systemd/system/casemate-fleet.service.d"
THERE = "/var/lib/casemate-fleet"
LAST = 64
"""Pushes in all, 1.6 a second: eight enclosures, a token each 5 s."""
SYSLOG = {"name": "siem", "kind": "syslog", "host": "127.0.0.1", "port": 6514, "ca": "tls/ca.pem",
          "confirms": False}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A machine and what its enclosures will bring. folder: of keys and pushes, on this one."""

    here: Machine
    folder: Path
    pushes: tuple[bytes, ...]

    @property
    def service(self) -> Path:
        """Return the service's folder, as this machine sees it."""
        return self.here.state / "casemate-fleet"

    def call(self, *given: str) -> list[dict[str, object]]:
        """Call the service from its own network; return what was told."""
        done = self.here.nearby(sys.executable, str(HERE / "unit_callers.py"), *given)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def opened(self) -> Store:
        """Return the store, while the service runs."""
        return Store(f"sqlite:///{self.service / home.DATABASE}", migrates=False)


def stale(place: home.Home) -> None:
    """Enter an enclosure of which nothing was seen for an hour."""
    now_s = int(time.time())
    parties = [each.party for each in demo_parties(place.folder / "others")]
    made = HammerEnclosure(900, witnesses([bytes([each]) * 32 for each in range(3)]), parties, 60)
    begun = made.commission(now_s - 4000)
    store = place.opened()
    with store.write() as link:
        number = evidence.add(
            link, reference=made.reference(), policy=made.policy(), serial=made.serial,
            kind="camera", site="cellar", now_s=now_s,
        )  # fmt: skip
    ingest.Intake(store, lambda: now_s - 3990).take(number, begun)
    store.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A machine with the service's folder, not started."""
    folder = tmp_path_factory.mktemp("load") / "fleet"
    plan = Plan(enclosures=8, period_s=5, for_s=LAST / 1.6)
    with loading.prepared(folder, plan, Work("load")) as load:
        pushes = tuple(loading.pushes(load, load.start_s))
    stale(load.place)
    (folder / "pushes").mkdir()
    for number, body in enumerate(pushes):
        (folder / "pushes" / str(number)).write_bytes(body)
    with machine(tmp_path_factory.mktemp("machine")) as here:
        made = Site(here=here, folder=folder, pushes=pushes)
        shutil.copytree(folder, made.service, dirs_exist_ok=True)
        settings = json.loads((made.service / home.SETTINGS).read_text())
        settings |= {"store": f"sqlite:///{THERE}/{home.DATABASE}", "outlets": [SYSLOG]}
        (made.service / home.SETTINGS).write_text(json.dumps(settings))
        here.run("chown", "-R", "casemate-fleet:", THERE)
        here.run("chmod", "0700", THERE)
        here.run("systemctl", "start", SERVICE)
        yield made


def test_it_is_active_once_it_answers_and_serves_pages_over_tls(site: Site) -> None:
    assert site.here.shown(SERVICE, "ActiveState") == "active"
    assert site.here.shown(SERVICE, "StatusErrno") == "0"
    assert site.call("push", str(site.folder), "0", "8") == [{"acknowledged": x} for x in range(8)]


def test_a_passkey_is_registered_and_signs_in(site: Site) -> None:
    code = site.here.casemate(
        "person", THERE, "ann", "--role", "inspector", "--party", "peerland"
    ).split()[-1]
    told = site.call("passkey", str(site.folder), code)
    assert told == [{"registered": 303}, {"signed_in": 303, "page": 200, "unwell": True}]


def test_an_outlet_reaches_its_receiver(site: Site) -> None:
    told = site.call("syslog", str(site.folder), "60")
    assert "chassis intrusion" in str(told[0]["said"]).lower()


def _until_grown(site: Site) -> None:
    """Wait until the first enclosures have brought a second time."""
    pushed, store = ingest.decode(site.pushes[10]), site.opened()
    for _ in range(600):
        with store.read() as link:
            if evidence.next_number(link, 3) >= pushed.first + len(pushed.entries):
                break
        time.sleep(0.05)
    store.close()


def test_killed_it_is_restarted_and_has_all_that_it_acknowledged(site: Site) -> None:
    before = int(site.here.shown(SERVICE, "NRestarts"))
    told: list[dict[str, object]] = []
    bringing = threading.Thread(
        target=lambda: told.extend(site.call("push", str(site.folder), "8", str(LAST)))
    )
    bringing.start()
    _until_grown(site)
    site.here.run("systemctl", "kill", "--signal=KILL", SERVICE)
    bringing.join()
    acknowledged = [int(str(each["acknowledged"])) for each in told if "acknowledged" in each]
    assert acknowledged and "failed" in told[-1], "the kill came too late, or nothing was brought"
    site.here.until(SERVICE, "NRestarts", str(before + 1))
    site.here.until(SERVICE, "ActiveState", "active")
    store = site.opened()
    with store.read() as link:
        for number in acknowledged:
            pushed = ingest.decode(site.pushes[number])
            have = evidence.next_number(link, number % 8 + 1)
            assert have >= pushed.first + len(pushed.entries)
    store.close()
    again = site.call("push", str(site.folder), str(acknowledged[-1]), str(LAST))
    assert len(again) == LAST - acknowledged[-1] and "failed" not in again[-1]


def test_a_backup_is_made_beside_it_and_the_timer_waits(site: Site) -> None:
    site.here.run("systemctl", "start", BACKUP)
    assert site.here.shown(BACKUP, "Result") == "success"
    made = sorted((site.here.state / "casemate-fleet-backups").iterdir())
    assert len(made) == 1 and backup.check(made[0]).enclosures == 9
    site.here.run("systemctl", "start", TIMER)
    assert TIMER in site.here.run("systemctl", "list-timers", "--no-pager", TIMER)


def test_what_the_unit_forbids_is_forbidden(site: Site) -> None:
    """The shell of the unit's own sandbox: elsewhere nothing can be written, nobody is root."""
    pid = site.here.shown(SERVICE, "MainPID")
    status = site.here.run("cat", f"/proc/{pid}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["CapEff"].strip("0") == "" and fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2" and fields["Uid"].split()[0] != "0"
    mounts = site.here.run("cat", f"/proc/{pid}/mounts").splitlines()
    root = next(each.split() for each in reversed(mounts) if each.split()[1] == "/")
    assert root[3].split(",")[0] == "ro"
    assert "wx" not in site.here.run("cut", "-d ", "-f2", f"/proc/{pid}/maps")


def test_one_that_hangs_is_ended_and_started_anew(site: Site) -> None:
    """With four seconds in place of five minutes."""
    site.here.run("mkdir", "-p", DROP_IN)
    site.here.run("sh", "-c", f"printf '[Service]\\nWatchdogSec=4\\n' > {DROP_IN}/soon.conf")
    site.here.run("systemctl", "daemon-reload")
    site.here.run("systemctl", "restart", SERVICE)
    time.sleep(6)
    assert site.here.shown(SERVICE, "NRestarts") == "0"  # it says that it lives
    site.here.run("systemctl", "kill", "--signal=STOP", SERVICE)
    site.here.until(SERVICE, "NRestarts", "1", for_s=120)
    site.here.until(SERVICE, "ActiveState", "active")
    site.here.run("rm", "-r", DROP_IN)
    site.here.run("systemctl", "daemon-reload")


def test_it_ends_when_told_and_the_doctor_finds_nothing_broken(site: Site) -> None:
    site.here.run("systemctl", "stop", SERVICE)
    assert site.here.shown(SERVICE, "Result") == "success"
    said = json.loads(site.here.casemate("doctor", THERE, "--json"))
    level = {each["id"]: each["level"] for each in said}
    for each in ("schema", "permissions", "certificates", "walks", "disk", "clock"):
        assert level[each] == "good", said
    assert level["audit"] != "bad", said
