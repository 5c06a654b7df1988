"""House rules for every test: none leaves a thread behind, none fails for being slow."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported, as in rig.cli.main
os.environ.setdefault("RIG_NAME", "rig")  # whatever this computer is called
# No deadline: the machine may be busy. pytest --hypothesis-profile=thorough is what `make slow` says.
settings.register_profile("fast", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
GRACE_SECOND = 2.0  # for a thread that has been told to end and is about to


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A page's module has a browser and a server of its own: one worker has it whole, and begins with it."""
    for item in items:
        if item.path.name.startswith("test_page_"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    later = [thread for thread in threading.enumerate() if thread not in before]
    for thread in later:
        thread.join(GRACE_SECOND)
    left = [thread.name for thread in later if thread.is_alive()]
    assert not left, f"threads left behind: {', '.join(left)}"
