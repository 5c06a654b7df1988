"""Databases of both kinds: a file, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from rig.store.database import open_database
from rig.store.delivery import deliver
from rig.store.forwarder import forward
from rig.store.journal import open_store
from tests.postgres import any_postgres, database, mortal, postgres
from tests.store.stores import add_runs

__all__ = ["any_postgres", "database", "mortal", "postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of a database that is not there yet, or empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rig.db'}"
    return str(request.getfixturevalue("database"))


@dataclass
class Store:
    """Where a recorder writes, and where it is read afterwards: a file, or journal and server."""

    engine: Engine
    _opened: list[Engine] = field(default_factory=list)
    settle: Callable[[], Engine] = field(init=False)

    def in_file(self) -> Engine:
        forward(self.engine)
        return self.engine

    def on_server(self, url: str) -> Engine:
        server = open_database(url)
        self._opened.append(server)
        deliver(self.engine, server)
        return server

    def close(self) -> None:
        for engine in (self.engine, *self._opened):
            engine.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store with run ``a``; ``settle`` brings what is committed to where it is read."""
    kept = Store(open_store(url))
    is_file = url.startswith("sqlite")
    kept.settle = kept.in_file if is_file else lambda: kept.on_server(url)
    add_runs(kept.engine, "a")
    yield kept
    kept.close()
