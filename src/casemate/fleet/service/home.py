"""The folder of a service: its settings, database, certificates and audit log."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url, select

from casemate.core.canonical import pretty_json
from casemate.core.errors import InputError, OutputError
from casemate.core.private_folder import private_folder
from casemate.core.whole_file import write_whole
from casemate.fleet.access import certificates
from casemate.fleet.alarms import outbox
from casemate.fleet.appraisal import walks
from casemate.fleet.audit import succession
from casemate.fleet.audit.log import AuditLog
from casemate.fleet.intake.ingest import Intake
from casemate.fleet.nats import settings as brokers
from casemate.fleet.outlets import settings
from casemate.fleet.outlets.sender import Senders
from casemate.fleet.readings.series import Series
from casemate.fleet.service import errands, supervised
from casemate.fleet.service.growth import Grower
from casemate.fleet.store.database import Store
from casemate.fleet.store.lease import Lease
from casemate.fleet.store.schema import ACTS
from casemate.fleet.web.asked import Service
from casemate.translog.client import HttpAsker, Peer
from casemate.translog.note import parse_vkey

FORMAT = "casemate-fleet-1"
SETTINGS, TLS, AUDIT, DATABASE, SERIES = "fleet.json", "tls", "audit", "fleet.db", "series"
NATS = "nats"
"""Folder of the service's certificate for the broker, and of what was put aside."""
BACKED_UP = "backed-up.json"
"""When the last backup was made."""
_TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A service's folder. name: by which others reach it. store: address of the database.

    witnesses: name, key and address of each that cosigns the audit log. passkeys: dispositions of
    alarms are signed by one.
    """

    folder: Path
    name: str
    store: str
    outlets: object = field(default_factory=list)
    """As they stand in the settings; `running` reads them."""
    witnesses: tuple[tuple[str, str, str], ...] = ()
    passkeys: bool = False
    nats: object = None
    """As it stands in the settings: the broker that evidence comes by, too."""

    @property
    def tls(self) -> Path:
        """Return the folder of certificates."""
        return self.folder / TLS

    def opened(self) -> Store:
        """Return the store. InputError if its file is lost: another would know of nothing."""
        if self.lacks_database:
            raise InputError(
                "the database is not there, or empty.", remedy="see `casemate fleet doctor`.",
                file=str(make_url(self.store).database),
            )  # fmt: skip
        return Store(self.store)

    @property
    def has_audit_log(self) -> bool:
        """Return whether an audit log has begun: a folder with a lock alone is none."""
        return has_log(self.folder / AUDIT)

    @property
    def lacks_database(self) -> bool:
        """Return whether the store is a file that is not there, or that has nothing in it."""
        url = make_url(self.store)
        if url.get_backend_name() != "sqlite":
            return False
        path = Path(str(url.database))
        return not path.exists() or path.stat().st_size == 0


def has_log(audit: Path) -> bool:
    """Return whether an audit log has begun in a folder."""
    log = audit / succession.LOG
    return any((log / each).exists() for each in ("bundle.json", "checkpoint", "tile"))


def make(folder: Path, name: str, store: str = "", *, passkeys: bool = False) -> Home:
    """Make the folder of a new service. InputError if there is one already."""
    if (folder / SETTINGS).exists():
        raise InputError(
            "there is a service already.", remedy="name another folder.", file=str(folder)
        )
    private_folder(folder)
    url = store or str(URL.create("sqlite", database=str((folder / DATABASE).absolute())))
    certificates.make_authority(folder / TLS, name)
    Store(url).close()
    row = {"format": FORMAT, "name": name, "store": url, "passkeys": passkeys}
    write_whole(folder / SETTINGS, pretty_json(row))
    return Home(folder=folder, name=name, store=url, passkeys=passkeys)


def read(folder: Path) -> Home:
    """Return the service in a folder. InputError if there is none."""
    path = folder / SETTINGS
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if row["format"] != FORMAT:
            raise ValueError("it is of another format")
        named = row.get("witnesses", [])
        witnesses = tuple((str(x["name"]), str(x["key"]), str(x["url"])) for x in named)
        return Home(
            folder=folder, name=str(row["name"]), store=str(row["store"]),
            outlets=row.get("outlets", []), witnesses=witnesses,
            passkeys=row.get("passkeys", False) is True, nats=row.get("nats"),
        )  # fmt: skip
    except FileNotFoundError:
        raise InputError(
            "this is no service: there is no such file.",
            remedy="make one with `casemate fleet init`, or restore a backup.", file=str(path),
        ) from None  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the settings cannot be read: {error}.",
            remedy="mend the file, or restore it from a backup.", file=str(path),
        ) from None  # fmt: skip


@contextmanager
def running(
    home: Home, *, secure: bool = True, peers: Sequence[Peer] = (),
    clock: Callable[[], float] = time.time,
) -> Iterator[Service]:  # fmt: skip
    """Yield the service of a folder, with what it does by itself: staleness, audit, errands."""
    held = settings.read(home.outlets, home.folder, home.folder / SETTINGS)
    broker = brokers.read(home.nats, home.folder, home.folder / SETTINGS)
    known = (*peers, *witnesses(home))
    if secure:
        certificates.make_server(home.tls, home.name)
    with ExitStack() as held_open:
        store = home.opened()
        held_open.callback(store.close)
        lease = Lease(store, home.folder)
        held_open.callback(lease.close)
        _same_audit_log(home, store)
        origin = succession.origin_of(home.folder / AUDIT, home.name)
        audit = AuditLog(home.folder / AUDIT, origin, clock=clock, peers=known)
        held_open.callback(audit.close)
        intake = Intake(store, clock, key=walks.key_in(home.folder))
        held_open.callback(intake.under_way.close)
        service = Service(
            store=store, intake=intake, audit=audit, clock=clock, secure=secure, lease=lease,
            name=home.name, passkeys=home.passkeys, series=Series(home.folder / SERIES),
        )  # fmt: skip
        senders = Senders(store, service.pulse, clock, home.name, held)
        held_open.callback(senders.close)
        stop = threading.Event()
        ticking = threading.Thread(
            target=_tick,
            args=(service, senders, Grower(home.folder), stop),
            name="fleet",
            daemon=True,
        )
        ticking.start()
        held_open.callback(ticking.join)
        held_open.callback(stop.set)
        if broker is not None:
            from casemate.fleet.nats import door, receive

            receiver = receive.Receiver(broker, door.Door(service, home.folder / NATS))
            held_open.callback(receiver.close)
        yield service


def _same_audit_log(home: Home, store: Store) -> None:
    """Raise OutputError if another audit log would begin in place of the one that there was."""
    folder = home.folder / AUDIT
    lost = ""
    if home.has_audit_log and not (folder / "key.json").exists():
        lost = "the key of the audit log"
    elif not home.has_audit_log and succession.before(folder):
        lost = "the audit log that continues the one before"
    elif not home.has_audit_log:
        with store.read() as link:
            if link.execute(select(ACTS.c.id).limit(1)).first() is not None:
                lost = "the audit log, which tells of what people did,"
    if lost:
        raise OutputError(
            f"{lost} is lost: {folder}.", remedy="restore the folder from the latest backup."
        )


def witnesses(home: Home) -> tuple[Peer, ...]:
    """Return the witnesses that the settings name. FormatError if a key is none."""
    return tuple(
        Peer(name=name, keys=(parse_vkey(key),), asker=HttpAsker(url))
        for name, key, url in home.witnesses
    )


def _tick(service: Service, senders: Senders, grower: Grower, stop: threading.Event) -> None:
    """Do what time asks for, until told to stop. A failure is told once a run, and tried again.

    What fails holds up nothing else, and no beat is told: monitoring sees that (`pulse`).
    """
    import logging

    log = logging.getLogger("casemate.fleet")
    failed: dict[int, str] = {}
    due: tuple[Callable[[], object], ...] = (
        service.lease.keep if service.lease is not None else lambda: None,
        service.intake.tick,
        lambda: outbox.gather(service.store, service.now_s()),
        lambda: errands.take_over(service.store, service.audit),
        lambda: senders.tick(service.now_s()),
        lambda: grower.tick(service.now_s()),
    )
    while not stop.wait(_TICK_S):
        supervised.tell(supervised.ALIVE)  # of the thread alone: what fails is told otherwise
        for number, do in enumerate(due):
            try:
                do()
                failed.pop(number, None)
            except Exception as error:  # whatever it is, the next round may do it
                if failed.get(number) != str(error):
                    log.error("what is due by itself fails: %s", error)
                failed[number] = str(error)
        if not failed:
            service.pulse.tick(service.clock())
