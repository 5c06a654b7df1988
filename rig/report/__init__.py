"""Findings in, one self-contained HTML page out: results first, then every run with its figures.

The page needs no network and no script, so it opens in ten years. Importing this package costs
nothing: matplotlib and Jinja are loaded when a report is made. Knows no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.report.findings import RunFindings

__all__ = ["render_report", "report_html"]


def report_html(findings: Sequence[RunFindings], title: str) -> str:
    """Return the page as text; the same findings give the same text."""
    from rig.report import page  # noqa: PLC0415

    return page.report_html(findings, title)


def render_report(findings: Sequence[RunFindings], *, title: str, path: Path) -> None:
    """Write the page to ``path``, which is replaced; OSError where it cannot be written."""
    path.write_text(report_html(findings, title), encoding="utf-8")
