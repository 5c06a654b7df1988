"""A run that is taken up after an outage, by itself: what its protocol wants, and the gap on record."""

from __future__ import annotations

import pytest

from rig.core.records import RunState
from rig.engine.cursor import Cursor, from_json
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule
from rig.protocol.program import OnGap
from tests.engine.rigs import IdealChannel, ListKeeper, looped_program, run_on_ideal


def killed_cursor() -> Cursor:
    """Return where a run stood in its first charge when its process died."""
    run, _, keeper, schedule, chamber = run_on_ideal(looped_program(1))

    class Killed(Exception):
        pass

    def kill() -> None:
        if run.cursor.progress.test_time_second > 3000:
            raise Killed

    schedule.between = kill
    with pytest.raises(Killed):
        schedule.run([run.task(), chamber.task()])
    # What the closing did is not in it: a dead process closes nothing.
    return from_json(keeper.cursors[run.run_id]())._replace(reason="")


def recovered(on_gap: OnGap) -> tuple[Run, IdealChannel, ListKeeper, SimulatedSchedule]:
    run, channel, keeper, schedule, chamber = run_on_ideal(
        looped_program(1), cursor=killed_cursor(), state=RunState.RUNNING
    )
    run.on_gap, run.last_us = on_gap, run.clock.wall_us() - 5_400_000_000
    schedule.run([run.task(), chamber.task()])
    return run, channel, keeper, schedule


def step_ids(keeper: ListKeeper) -> list[object]:
    return [values["step_id"] for table, values in keeper.rows if table == "step"]


def test_it_goes_on_with_its_step_and_the_gap_is_on_record() -> None:
    run, channel, keeper, _ = recovered(OnGap.CONTINUE)
    assert run.state is RunState.FINISHED, run.reason
    assert keeper.events("gap") == ["5400.0 s without a sample: nobody looked at the cell"]
    assert "step continues" in keeper.events("resumed")[0]
    assert channel.calls[0] == "make_safe"


def test_it_begins_its_step_again() -> None:
    run, _, keeper, _ = recovered(OnGap.RESTART_STEP)
    assert run.state is RunState.FINISHED, run.reason
    assert "begins again" in keeper.events("resumed")[0]
    assert step_ids(keeper)[:2] == [2, 2]


@pytest.mark.parametrize(
    ("on_gap", "state"), [(OnGap.PAUSE, RunState.PAUSED), (OnGap.STOP, RunState.STOPPED)]
)
def test_it_disconnects_its_cell_and_leaves_it_so(on_gap: OnGap, state: RunState) -> None:
    run, channel, keeper, _ = recovered(on_gap)
    assert run.state is state
    assert run.reason == f"on_gap: {on_gap.value}"
    assert set(channel.calls) == {"make_safe"}
    assert keeper.samples == []
    assert from_json(keeper.cursors[run.run_id]()).progress.seq > 0
