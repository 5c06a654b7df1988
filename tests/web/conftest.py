"""A database with one finished run, made once; each test gets a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from tests.web.houses import copied, make_finished_run, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("web") / "rig.db"
    make_finished_run(path)
    return path


@pytest.fixture
def url(finished: Path, tmp_path: Path) -> str:
    return copied(finished, tmp_path)


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    """Somebody at this computer, where nobody has an account."""
    with visited(url) as (client, _):
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from tests.web.browsing import chromium  # a second to load, and for the pages alone

    with chromium() as opened:
        yield opened
