"""What goes wrong while somebody has a channel by hand: the cell is off, or the loudest alarm is up."""

from __future__ import annotations

from collections.abc import Iterable

from rig.bench.hand_operations import Operation
from rig.bench.instruments import OpenBench
from rig.bench.last_words import Word, tell
from rig.bench.locks import has_engine
from rig.bench.watchdog import Unwatched
from rig.core.alarms import Severity
from rig.store.alarms import acknowledge_alarms, open_alarms
from tests.bench.cables import Cable
from tests.bench.hand_visits import Visitor
from tests.bench.hosts import Wishes, hosted, work
from tests.bench.test_hosting import is_disconnected

OCV = Operation.OPEN_CIRCUIT

# The first operations open and identify; then the cell is disconnected, measured, disconnected again.
RUNGS = [(at, lasts) for at in (1, 11, 23, 44) for lasts in (False, True)]


def test_whichever_link_operation_fails_the_cell_is_off_or_the_alarm_is_up(tmp_path):
    """And the channel is free again afterwards, with what happened on record."""
    cable = Cable()
    with hosted(tmp_path, wrap=cable.wrap) as (host, desk):
        maria = Visitor(desk)
        left: list[tuple[int, bool, bool, str, str]] = []

        def wishes() -> Wishes:
            for at, lasts in RUNGS:
                yield maria.takes("C1").is_answered
                cable.breaks(at, lasts=lasts)
                run = maria.does(OCV, {"for": "4 s"})
                yield lambda run=run: desk.are_over(run) and not host.lives
                cable.holds()
                yield maria.gives_back().is_answered
                standing = open_alarms(desk.engine)
                critical = [one for one in standing if one.severity is Severity.CRITICAL]
                left.append(
                    (
                        at,
                        is_disconnected(host, "C1"),
                        bool(critical),
                        desk.state(run),
                        maria.answer.outcome,
                    )
                )
                assert not has_engine("C1", desk.url)
                acknowledge_alarms(
                    desk.engine, standing, wall_us=1, who="test", reason="the next rung"
                )
                yield lambda: not host.session.bench.drivers

        work(host, wishes())
    assert len(left) == len(RUNGS)
    for at, is_off, alarm_is_up, state, answer in left:
        assert is_off or alarm_is_up, (at, state)
        assert (answer == "failed") is alarm_is_up, (at, state, answer)
    assert {state for *_, state, _ in left} >= {"failed", "finished"}
    assert any(alarm_is_up for _, _, alarm_is_up, *_ in left)


def test_a_chamber_that_nobody_confirms_at_rest_raises_the_alarm_of_every_channel_in_it(tmp_path):
    cable = Cable()
    with hosted(tmp_path, speed="200", wrap=cable.wrap) as (host, desk):
        maria = Visitor(desk)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            yield maria.holds(31).is_answered
            yield lambda: "chamber-c" in host.session.bench.chambers
            cable.breaks(1, lasts=True)
            yield maria.gives_back().is_answered
            yield lambda: len(open_alarms(desk.engine)) == 2

        work(host, wishes())
        alarms = open_alarms(desk.engine)
        assert {one.channel for one in alarms} == {"C1", "C2"}
        assert {one.kind for one in alarms} == {"unconfirmed-chamber"}


def test_the_watchdog_knows_a_chamber_that_is_held_by_hand(tmp_path):
    """A dead engine's last words about it have no run; they are kept under the lease."""
    told: list[list[tuple[str, str]]] = []

    class Watching(Unwatched):
        def cover(self, opened: OpenBench, places: Iterable[tuple[str, str]]) -> str:
            told.append(list(places))
            assert not told[-1] or "chamber-c" in opened.drivers
            return ""

    with hosted(tmp_path, speed="200") as (host, desk):
        host.session.watchdog = Watching()
        maria = Visitor(desk)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            yield maria.holds(31).is_answered
            yield maria.gives_back().is_answered
            yield lambda: not host.session.bench.drivers

        work(host, wishes())
        assert (told[0], told[-1]) == ([(maria.lease_id, "C1")], [])
        tell(desk.url, [Word(maria.lease_id, "C1", "made safe: chamber-c")])
        (line,) = desk.rows("event", maria.lease_id)
        assert line["message"] == "made safe: chamber-c"


def test_what_was_done_by_hand_when_the_engine_died_is_ended_by_the_next_one(tmp_path):
    """Nobody stands there any more: the cell is disconnected, and nothing goes on."""
    with hosted(tmp_path, speed="20") as (host, desk):
        maria = Visitor(desk)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            run = maria.does(OCV, {"for": "1 h"})
            yield lambda: desk.state(run) == "running"

        work(host, wishes())
        (run,) = maria.runs
        with desk.engine.begin() as connection:  # as a process that is killed leaves it
            connection.exec_driver_sql("UPDATE run SET state = 'running'")
    with hosted(tmp_path, speed="20") as (host, desk):

        def is_over() -> Wishes:
            yield lambda: desk.are_over(run) and not host.lives

        work(host, is_over())
        assert (desk.state(run), desk.record(run).values["reason"]) == ("stopped", "on_gap: stop")
        assert is_disconnected(host, "C1")
        assert Visitor(desk).all_leases() == []
