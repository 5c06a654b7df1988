"""An engine that takes runs as long as it lives: they come and go, and none disturbs another."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from rig.bench.file import load_bench
from rig.bench.host import Host, open_host
from rig.bench.locks import has_engine, has_host
from rig.core.clock import Clock
from rig.core.errors import BadInput, LinkTimeout
from rig.core.link import Link
from rig.engine.states import Verb
from rig.store import queries
from tests.bench.hosts import CYCLE, Desk, Wishes, hosted, work

AT = "steps:\n  - set_temperature: {{to: {} degC, within: 1 K, soak: 2 min, timeout: 9 h}}"
LONG = CYCLE.replace("rest: {for: 2 min}", "rest: {for: 300 h}")


def at_temperature(celsius: int) -> str:
    return CYCLE.replace("steps:", AT.format(celsius))


def over(desk: Desk, *run_ids: str) -> Wishes:
    yield lambda: desk.are_over(*run_ids)


def is_disconnected(host: Host, channel: str) -> bool:
    """Ask the simulated source meter itself, not the driver that is under test."""
    world = host.session.bench.world
    assert world is not None
    link = world.link(load_bench("sim").channels[channel].instruments["cell"])
    link.write(b":OUTP?\n")
    return link.read_until(b"\n", 1.0).strip() == b"0"


# --- runs come and go ----------------------------------------------------------------------------


def test_a_second_cell_begins_in_the_chamber_in_which_the_first_runs(tmp_path):
    """And waits for its own temperature until the first has left."""
    with hosted(tmp_path) as (host, desk):
        (first,) = desk.start("C1", text=at_temperature(30))
        second: list[str] = []

        def wishes() -> Wishes:
            yield lambda: len(desk.rows("step", first)) > 0
            second.extend(desk.start("C2", text=at_temperature(40)))
            yield lambda: desk.are_over(first, *second)

        work(host, wishes())
        assert [desk.state(run_id) for run_id in (first, *second)] == ["finished"] * 2
        soak = desk.rows("step", second[0])[0]
        assert "40 degC" in soak["words"]
        left = max(desk.samples(first)["ts_us"])
        soaked = min(row["ts_us"] for row in desk.samples(second[0]).to_dict("records")[-50:])
        assert soaked > left
        hot = desk.samples(first)["ambient_temperature_celsius"].tail(20)
        assert hot.between(28.5, 31.5).all()
        assert all(map(desk.has_no_gap, (first, *second)))


def test_two_at_one_temperature_share_it_and_the_chamber_rests_when_both_have_left(tmp_path):
    with hosted(tmp_path) as (host, desk):
        runs = desk.start("C1", "C2", text=at_temperature(35))

        def wishes() -> Wishes:
            yield lambda: desk.are_over(*runs) and not host.session.bench.drivers

        work(host, wishes())
        assert [desk.state(run_id) for run_id in runs] == ["finished"] * 2
        assert host.session.bench.chambers == {}


def test_a_chamber_that_has_rested_works_for_the_next_run(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (first,) = desk.start("C1", text=at_temperature(30))
        again: list[str] = []

        def wishes() -> Wishes:
            yield lambda: desk.are_over(first) and not host.session.bench.drivers
            again.extend(desk.start("C1", text=at_temperature(30)))
            yield lambda: desk.are_over(*again)

        work(host, wishes())
        assert desk.record(again[0]).values["reason"] == "protocol finished"
        assert desk.has_no_gap(again[0])


def test_only_what_is_in_use_is_open_and_locked(tmp_path):
    with hosted(tmp_path) as (host, desk):
        runs = desk.start("C1", text=LONG)
        seen: dict[str, object] = {}

        def wishes() -> Wishes:
            yield lambda: desk.state(runs[0]) == "running"
            seen["open"] = set(host.session.bench.drivers)
            seen["locked"] = [name for name in desk.bench.channels if has_engine(name, desk.url)]
            desk.asks(runs[0], Verb.STOP)
            yield lambda: not host.lives and not host.session.bench.drivers
            seen["locked after"] = has_engine("C1", desk.url)

        work(host, wishes())
        assert seen["open"] == set(desk.bench.channels["C1"].instruments.values())
        assert seen["locked"] == ["C1"]
        assert seen["locked after"] is False
        assert desk.state(runs[0]) == "stopped"
        assert not has_host(desk.url)


def test_who_answered_is_kept_with_the_run(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1")
        work(host, over(desk, run_id))
        identities = desk.record(run_id).values["bench"]["identities"]
        assert set(identities) == set(desk.bench.channels["C1"].instruments.values())


def test_the_same_starts_on_the_same_cells_give_the_same_bytes(tmp_path):
    frames = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with hosted(tmp_path / name) as (host, desk):
            runs = desk.start("C1", "C2", text=at_temperature(30))
            work(host, over(desk, *runs))
            frames.append([desk.samples(run_id).to_csv() for run_id in runs])
    assert frames[0] == frames[1]


# --- what is refused -----------------------------------------------------------------------------


def test_without_an_engine_nothing_is_put_on_record_and_all_problems_are_told(tmp_path):
    desk = Desk(tmp_path, load_bench("sim"))
    with pytest.raises(BadInput) as refused:
        desk.start("C9", "P1", text=CYCLE.replace("4.2 V", "4.2"))
    words = str(refused.value)
    assert "no engine takes new runs" in words
    assert (
        "'C9'"
        not in words.split("has none of that name", maxsplit=1)[0].split("channel C9:", maxsplit=1)[
            0
        ]
    )
    assert "channel C9" in words
    assert "4.2" in words
    assert desk.rows("run", "") == []
    desk.engine.dispose()


def test_limits_that_leave_no_voltage_on_the_channel_are_refused_before_anything_is_on_record(
    tmp_path,
):
    with hosted(tmp_path) as (_, desk):
        with pytest.raises(BadInput, match=r"the bench file to -1\.5 V to 1\.5 V: no value is"):
            desk.start("P1")
        assert queries.list_runs(desk.engine) == []


def test_a_busy_channel_is_refused_with_its_owner_and_by_the_engine_too(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (first,) = desk.start("C1", text=LONG)
        with pytest.raises(BadInput, match="is about to begin there"):
            desk.start("C1")
        late: list[str] = []

        def wishes() -> Wishes:
            yield lambda: desk.state(first) == "running"
            with pytest.raises(BadInput, match=r"is busy: run \w+ is running \(process \d+ since"):
                desk.start("C1")
            late.extend(_as_if_at_the_same_moment(desk))
            yield lambda: desk.are_over(*late)
            desk.asks(first, Verb.STOP)
            yield lambda: desk.are_over(first)

        work(host, wishes())
        assert desk.state(late[0]) == "failed"
        assert "channel C1 is busy" in desk.record(late[0]).values["reason"]


def _as_if_at_the_same_moment(desk: Desk) -> list[str]:
    """Put a second start beside one that runs: two people, one moment."""
    run_ids = desk.start("C2")
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET channel = 'C1' WHERE run_id = ?", (run_ids[0],))
    return run_ids


def test_one_cell_is_in_one_place(tmp_path):
    with hosted(tmp_path) as (host, desk):
        with pytest.raises(BadInput, match="one cell cannot be on several channels"):
            desk.start("C1", "C2", cells={"C1": "LPS-17", "C2": "LPS-17"})
        (run_id,) = desk.start("C1", text=LONG, cells={"C1": "LPS-17"})

        def wishes() -> Wishes:
            yield lambda: desk.state(run_id) == "running"
            with pytest.raises(BadInput, match="is on channel C1, where its run goes on"):
                desk.start("C2", cells={"C2": "LPS-17"})

        work(host, wishes())


def test_a_bench_file_that_has_changed_is_refused(tmp_path):
    with hosted(tmp_path) as (_, desk):
        text = (tmp_path / "other.yaml").as_posix()
        Path(text).write_text(
            "bench: 1\ninstruments:\n  smu-c1: {driver: keithley.smu2450, connect: sim}\n"
            "channels:\n  C1: {cell: smu-c1, simulate: {cell: full_cell, area: 1 cm^2}}\n"
        )
        desk.bench = load_bench(text)
        with pytest.raises(BadInput, match="is not as the engine"):
            desk.start("C1")


def test_a_database_has_one_engine(tmp_path):
    with hosted(tmp_path) as (_, desk), pytest.raises(BadInput, match="an engine takes its runs"):
        open_host(desk.bench, database=desk.url)


# --- a start that fails --------------------------------------------------------------------------


class Mute:
    """A link on which nobody answers."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, data: bytes) -> None:
        """It goes nowhere."""

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        raise LinkTimeout(f"{self.name}: no answer within {timeout_second:g} s")

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        raise LinkTimeout(f"{self.name}: no answer within {timeout_second:g} s")

    def close(self) -> None:
        """There is nothing to close."""


def mute_c2(name: str, link: Link, _clock: Clock) -> Link:
    return Mute(name) if name == load_bench("sim").channels["C2"].instruments["cell"] else link


def test_an_instrument_that_does_not_answer_fails_its_own_run_and_no_other(tmp_path):
    with hosted(tmp_path, wrap=mute_c2) as (host, desk):
        well, ill = desk.start("C1", "C2")
        work(host, over(desk, well, ill))
        assert desk.state(well) == "finished"
        record = desk.record(ill)
        assert record.state == "failed"
        assert "no answer" in record.values["reason"]
        (row,) = desk.rows("journal", ill)
        assert (row["outcome"], row["answer"]) == ("failed", record.values["reason"])
        assert not has_engine("C2", desk.url)


def test_a_bug_ends_all_others_safely_and_the_host_loudly(tmp_path):
    with hosted(tmp_path) as (host, desk):
        runs = desk.start("C1", "C2", text=LONG)

        def wishes() -> Wishes:
            yield lambda: all(desk.state(run_id) == "running" for run_id in runs)

            def broken() -> None:
                raise ZeroDivisionError("a bug")

            for run in host.session.runs:
                if run.channel.name == "C2":
                    run.desk.answer_at_the_end = lambda *_: broken()
                    desk.asks(run.run_id, Verb.STOP)
            yield lambda: False

        with pytest.raises(ZeroDivisionError):
            work(host, wishes())
        assert desk.state(runs[0]) == "paused"
        assert is_disconnected(host, "C1")
        assert is_disconnected(host, "C2")
        assert not has_host(desk.url)


# --- orders --------------------------------------------------------------------------------------


def test_a_start_that_is_asked_twice_is_done_once(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1", text=LONG)
        early = desk.asks(run_id, Verb.START)

        def wishes() -> Wishes:
            yield lambda: desk.state(run_id) == "running" and desk.answer(early)
            late = desk.asks(run_id, Verb.START)
            yield lambda: desk.answer(late)
            desk.asks(run_id, Verb.STOP)
            yield lambda: desk.are_over(run_id)

        work(host, wishes())
        rows = desk.rows("journal", run_id)
        assert [(row["verb"], row["outcome"]) for row in rows] == [
            *[("start", "done")] * 3,
            ("stop", "done"),
        ]
        states = [row["message"] for row in desk.rows("event", run_id) if row["kind"] == "state"]
        assert states.count("starting") == 1


def test_a_queued_run_is_stopped_before_it_begins(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1")
        stop = desk.asks(run_id, Verb.STOP)
        work(host, over(desk, run_id))
        given = desk.answer(stop)
        assert given is not None
        assert given.done, given
        assert desk.state(run_id) == "stopped"
        assert desk.samples(run_id).empty


def test_a_start_that_nobody_took_in_time_is_not_obeyed_later(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1")
        with desk.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE journal SET ts_us = ts_us - 120000000")
        work(host, over(desk, run_id))
        assert desk.state(run_id) == "stopped"
        assert desk.samples(run_id).empty
        (row,) = desk.rows("journal", run_id)
        assert row["outcome"] == "failed"


def test_a_start_that_was_taken_back_is_not_obeyed(tmp_path):
    """Its giver has been told that it failed, while the instruments were being opened."""
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1")

        def wishes() -> Wishes:
            yield lambda: run_id in host.lives or desk.are_over(run_id)

        def take_back(_name: str, link: Link, _clock: Clock) -> Link:
            with desk.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE journal SET outcome = 'failed', answer = 'late'")
            return link

        host.premises.ports._wrap = take_back
        work(host, itertools.chain(wishes(), over(desk, run_id)))
        assert desk.state(run_id) == "failed"
        assert "taken back" in desk.record(run_id).values["reason"]
        assert desk.samples(run_id).empty


def test_a_stopped_run_goes_on_when_it_is_asked_to(tmp_path):
    with hosted(tmp_path) as (host, desk):
        (run_id,) = desk.start("C1")
        orders = []

        def wishes() -> Wishes:
            yield lambda: len(desk.samples(run_id)) > 5
            desk.asks(run_id, Verb.STOP)
            yield lambda: desk.state(run_id) == "stopped" or desk.are_over(run_id)
            orders.append(desk.asks(run_id, Verb.RESUME))
            yield lambda: desk.answer(orders[0]) is not None
            yield lambda: desk.are_over(run_id)

        work(host, wishes())
        given = desk.answer(orders[0])
        assert given is not None
        assert given.done or desk.state(run_id) == "finished", given
        assert desk.state(run_id) == "finished"
        assert desk.has_no_gap(run_id)


@pytest.mark.slow
def test_a_host_that_is_stopped_leaves_its_runs_to_the_next_one(tmp_path):
    with hosted(tmp_path) as (host, desk):
        runs = desk.start("C1", "C2", text=LONG.replace("300 h", "40 h"))

        def wishes() -> Wishes:
            yield lambda: all(desk.state(run_id) == "running" for run_id in runs)

        work(host, wishes(), "SIGTERM")
        assert [desk.state(run_id) for run_id in runs] == ["paused"] * 2
        assert all(is_disconnected(host, channel) for channel in ("C1", "C2"))
        before = desk.samples(runs[0])
    with hosted(tmp_path) as (host, desk):

        def again() -> Wishes:
            orders = [desk.asks(run_id, Verb.RESUME) for run_id in runs]
            yield lambda: all(map(desk.answer, orders)) and desk.are_over(*runs)

        work(host, again())
        assert [desk.state(run_id) for run_id in runs] == ["finished"] * 2
        assert desk.samples(runs[0]).head(len(before)).equals(before)
        assert all(map(desk.has_no_gap, runs))
