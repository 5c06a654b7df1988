"""House rules for every test: none leaves a thread behind, none fails for being slow."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported, as in rig.cli.main
os.environ.setdefault("RIG_NAME", "rig")  # whatever this computer is called
# No deadline: the machine may be busy. pytest --hypothesis-profile=thorough is what `make slow` says.
settings.register_profile("fast", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
GRACE_SECOND = 2.0  # for a thread that has been told to end and is about to
ROOM_BYTES = 3_000_000_000  # many times what three workers have open at once


def _has_room(folder: str) -> bool:
    try:
        free_bytes, flags = shutil.disk_usage(folder).free, os.statvfs(folder).f_flag
    except OSError:
        return False
    return free_bytes > ROOM_BYTES and os.access(folder, os.W_OK) and not flags & os.ST_NOEXEC


# A commit waits for the disk (synchronous=FULL), some milliseconds each, thousands in all; memory has
# nothing to wait for. What a killed process has written survives it in both.
if _has_room("/dev/shm"):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")


PAGE_MODULE = "test_page_"  # a module of the page has a browser and a server of its own

# Whole programs that talk to each other: engines, browsers, database servers, every command of the
# documentation, ladders of faults. Seconds each: `make stories`, not `make test`.
STORIES = (
    "cli/test_publish.py",
    "cli/test_server_database.py",
    "conformance/test_family_ladder.py",
    "docs/test_commands.py",
    "store/test_server_away.py",
    "system/",
    f"web/{PAGE_MODULE}",
    "web/test_encryption.py",
    "web/test_schema.py",
)
_HERE = Path(__file__).parent


def _is_story(path: Path) -> bool:
    return path.relative_to(_HERE).as_posix().startswith(STORIES)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave stories unread where none is wanted: what they import takes longer than reading them."""
    unwanted = "not story" in config.getoption("markexpr")
    return True if unwanted and _is_story(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the stories; begin with the modules of the page: they are the longest."""
    for item in items:
        if _is_story(item.path):
            item.add_marker(pytest.mark.story)
    items.sort(key=lambda item: not item.path.name.startswith(PAGE_MODULE))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker has a module whole; but stories, other than a page's, go wherever there is room.

    Tests of a millisecond that are handed out one by one wait for the next more than they work. Marks
    would say the same, but --dist loadgroup takes no notice of them since pytest 9.2
    (pytest-dev/pytest-xdist issue 1386): each worker then starts servers and browsers for all.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class WholeModules(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = config.rootpath / nodeid.partition("::")[0]
            together = path.name.startswith(PAGE_MODULE) or not _is_story(path)
            return str(path) if together else nodeid

    return WholeModules(config, log)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    later = [thread for thread in threading.enumerate() if thread not in before]
    for thread in later:
        thread.join(GRACE_SECOND)
    left = [thread.name for thread in later if thread.is_alive()]
    assert not left, f"threads left behind: {', '.join(left)}"
