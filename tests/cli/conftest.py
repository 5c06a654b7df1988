"""Every command runs in an empty folder of its own, with nobody's database in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import PROTOCOL


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIG_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


@pytest.fixture
def protocol(folder: Path) -> Path:
    path = folder / "p.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path
