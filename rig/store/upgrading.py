"""Bringing a database to this software's schema: every step or none, with a copy of the file first.

The steps are Alembic's, in rig/store/migrations/versions/. How far a database has come is said by
``meta.schema_version`` alone, which the first release already kept: a second account of it, as
Alembic's own table would be, could only disagree.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, update

from rig.store import tables
from rig.store.address import is_server, without_password
from rig.store.copies import copy_file
from rig.store.database import (
    file_of,
    open_as_it_is,
    require_known,
    schema_version,
    translated,
    wait_for_schema,
)
from rig.store.disk import Disk
from rig.store.journal import journal_file, journal_url

STEPS = Path(__file__).parent / "migrations"
_UNCHANGED = "nothing was changed; the database is as it was"

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of one database; ``copy`` is what it was before, where it is a file."""

    database: str  # without password
    version_before: int
    version: int
    copy: Path | None = None


def upgrade_all(database: str, announce: Announce, disk: Disk | None = None) -> list[Upgrade]:
    """Upgrade a database, and before a server the journal that this computer has for it.

    Raises BadInput for what is none of ours or too new, StoreError where it fails: what had not
    been upgraded by then is as it was.
    """
    urls = [database]
    if is_server(database) and journal_file(database).exists():
        urls.insert(0, journal_url(database))
    return [upgrade(url, announce, disk or Disk()) for url in urls]


def upgrade(url: str, announce: Announce, disk: Disk) -> Upgrade:
    """Bring one database to ``SCHEMA_VERSION``; one that is there already is left alone."""
    engine = open_as_it_is(url)
    shown = without_password(url)
    try:
        before = _version(engine, url)
        if before == tables.SCHEMA_VERSION:
            return Upgrade(shown, before, before)
        copy = _keep_copy(engine, before, announce, disk)
        with translated(engine, _UNCHANGED), engine.begin() as connection:
            wait_for_schema(connection)
            for step in steps_after(require_known(schema_version(connection, url), url)):
                announce(f"{shown}: version {int(step.revision)}, {step.doc}")
                take(step, connection)
        return Upgrade(shown, before, tables.SCHEMA_VERSION, copy)
    finally:
        engine.dispose()


def _version(engine: Engine, url: str) -> int:
    with translated(engine), engine.connect() as connection:
        return require_known(schema_version(connection, url), url)


def _keep_copy(engine: Engine, version: int, announce: Announce, disk: Disk) -> Path | None:
    """Copy the file beside itself; a server's database is not ours to copy."""
    path = file_of(engine)
    if path is None:
        return None
    copy = _free_name(path, version)
    announce(f"{path}: copied as it is to {copy}")
    copy_file(path, copy, disk)
    return copy


def _free_name(path: Path, version: int) -> Path:
    """Name the copy by the second; by a number behind it where that second has one already."""
    now = datetime.datetime.now(tz=datetime.UTC)
    named = f"{path.name}.version-{version}.{now:%Y%m%dT%H%M%S}"
    numbered = (path.with_name(f"{named}-{number}") for number in itertools.count(2))
    candidates = itertools.chain([path.with_name(named)], numbered)
    return next(candidate for candidate in candidates if not candidate.exists())


def steps_after(version: int) -> list[Script]:
    """Return the steps that a database of this version needs, in their order."""
    known = ScriptDirectory(str(STEPS)).walk_revisions()
    return [step for step in reversed(list(known)) if int(step.revision) > version]


def take(step: Script, connection: Connection) -> None:
    """Take one step, and say so in the database, in the transaction of ``connection``."""
    with Operations.context(MigrationContext.configure(connection)):
        step.module.upgrade()
    version = update(tables.meta).where(tables.meta.c.key == "schema_version")
    connection.execute(version.values(value=str(int(step.revision))))
