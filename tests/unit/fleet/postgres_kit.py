"""PostgreSQL 15 on 127.0.0.1: one server a session, for each test a copy of an empty database."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, text

from casemate.fleet.service import home
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store
from outside_programs import needs, program

ENV = "CASEMATE_TEST_POSTGRES"
"""Where tests keep their stores, if it names a server: see `test_postgresql.py`."""
_EMPTY = "empty"


def tools() -> Path:
    """Return the folder of the server's programs; skip, or fail where all are required."""
    found = program("postgres")
    if os.geteuid() == 0:
        program("setpriv")
    needs("psycopg")
    return Path(os.path.realpath(found)).parent


@dataclass(slots=True)
class Server:
    """A server that can be killed and started again. durable: it writes to disk as in earnest."""

    folder: Path
    port: int
    durable: bool = False
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of its own database."""
        return f"postgresql+psycopg://fleet@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        quick = () if self.durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
        self._process = subprocess.Popen(
            [*_who(), tools() / "postgres", "-D", self.folder / "data", "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-k", self.folder, "-c", "shared_buffers=16MB",
             *quick],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        engine, end_s = create_engine(self.url), time.monotonic() + 60
        while True:
            try:
                engine.connect().close()
                break
            except Exception:
                assert time.monotonic() < end_s, "the server does not answer"
                time.sleep(0.1)
        engine.dispose()

    def kill(self) -> None:
        """End it at once, with what is under way: as an immediate shutdown does."""
        if self._process is not None:
            self._process.send_signal(3)
            self._process.wait(60)
            self._process = None


def _who() -> list[str]:
    """PostgreSQL does not run as root: return how to run it as nobody."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """Yield a new server, in a folder that goes with it."""
    program = tools() / "initdb"
    with tempfile.TemporaryDirectory(prefix="casemate-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        if os.geteuid() == 0:
            shutil.chown(folder, 65534, 65534)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        subprocess.run(
            [*_who(), program, "-D", folder / "data", "-A", "trust", "-U", "fleet", "-N",
             "--locale=C.UTF-8"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        made = Server(folder, port, durable)
        made.start()
        try:
            yield made
        finally:
            made.kill()


@dataclass(slots=True)
class Databases:
    """Databases of a server, one a folder of a test."""

    url: str
    made: dict[str, str] = field(default_factory=dict)

    def of(self, folder: Path) -> str:
        """Return the address of a folder's database, which is empty when it is first asked for."""
        place = str(folder.absolute())
        if place not in self.made:
            self._do(self._template())
            self._make(place, _EMPTY)
        return self._at(self.made[place])

    def copied(self, url: str, folder: Path) -> str:
        """Return the address of a folder's database, which is a copy of one that nobody uses."""
        self._make(str(folder.absolute()), url.rpartition("/")[2])
        return self.of(folder)

    def _make(self, place: str, template: str) -> None:
        name = "t" + hashlib.sha256(place.encode()).hexdigest()[:20]
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        self.made[place] = name

    @contextmanager
    def bare(self, name: str) -> Iterator[str]:
        """Yield the address of a database without tables."""
        self._do(f"CREATE DATABASE {name}")
        try:
            yield self._at(name)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def drop(self, folder: Path) -> None:
        """Drop the databases of folders below a test's own."""
        for place in [each for each in self.made if Path(each).is_relative_to(folder)]:
            self._do(f"DROP DATABASE {self.made.pop(place)} WITH (FORCE)")

    def _template(self) -> str:
        engine = create_engine(self.url)
        with engine.connect() as link:
            asked = text("SELECT 1 FROM pg_database WHERE datname = :name")
            there = link.execute(asked, {"name": _EMPTY}).scalar_one_or_none()
        engine.dispose()
        if there is None:
            self._do(f"CREATE DATABASE {_EMPTY}_new")
            Store(self._at(f"{_EMPTY}_new")).close()
            return f"ALTER DATABASE {_EMPTY}_new RENAME TO {_EMPTY}"
        return "SELECT 1"

    def _at(self, name: str) -> str:
        return f"{self.url.rpartition('/')[0]}/{name}"

    def _do(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as link:
            link.execute(text(statement))
        engine.dispose()


def keep_stores_there(url: str) -> Databases:
    """Have `kit_in` and `home.make` take PostgreSQL in this process, where nothing else is said."""
    import fleet_kit

    held, make = Databases(url), home.make
    fleet_kit.URLS, fleet_kit.COPIES = held.of, held.copied

    def there(folder: Path, name: str, store: str = "", *, passkeys: bool = False) -> Home:
        return make(folder, name, store or held.of(folder), passkeys=passkeys)

    home.make = there
    return held
