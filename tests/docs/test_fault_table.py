"""Every test that the page of faults names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/faults.md"
_NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_test_that_the_page_names_exists() -> None:
    named = _NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not any(
            f"def {test}(" in path.read_text(encoding="utf-8")
            for path in (ROOT / "tests").rglob(file)
        )
    ]
    assert missing == []


def test_every_fault_has_a_test_that_shows_it() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    faults = [row for row in rows if not row.startswith("| fault |")]
    assert [row for row in faults if not _NAMED.search(row)] == []
