"""``rig status`` where nothing has run: it says so, and is no failure."""

from __future__ import annotations

from rig.store.database import open_database
from tests.cli.commands import rig


def test_a_database_without_runs_says_that_there_are_none(tmp_path):
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    open_database(url).dispose()
    shown = rig("status", "--db", url)
    assert shown.code == 0
    assert "no channel has run anything yet" in shown.out
    assert rig("status", "--db", url, "--json").json() == {"channels": []}
