"""The page of run states is the table of run states."""

from __future__ import annotations

from pathlib import Path

from rig.engine.state_diagram import diagram, matrix

PAGE = Path(__file__).parents[2] / "docs/reference/run-states.md"


def test_the_page_is_drawn_from_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page
    assert matrix() in page
