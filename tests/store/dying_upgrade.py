"""A process that upgrades copies of a database, each in a child that is killed one statement later.

    python -m tests.store.dying_upgrade FOLDER STRIDE

The copies are ``FOLDER/1.db``, ... of ``FOLDER/old.db``; prints the statements before which children died.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from rig.store.disk import Disk
from rig.store.upgrading import upgrade


def die_before_statement(number: int) -> None:
    count = itertools.count(1)

    @event.listens_for(Engine, "commit")
    @event.listens_for(Engine, "before_cursor_execute")
    def _look(*_: object) -> None:
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)


def upgrade_and_die(path: Path, statement: int) -> bool:
    """Let a child upgrade this file and be killed before a statement; say whether it came to it."""
    child = os.fork()
    if child == 0:
        die_before_statement(statement)
        upgrade(f"sqlite:///{path}", lambda line: None, Disk())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(folder: Path, stride: int) -> None:
    for statement in itertools.count(1, stride):
        path = shutil.copyfile(folder / "old.db", folder / f"{statement}.db")
        if not upgrade_and_die(path, statement):
            break
        print(statement)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
