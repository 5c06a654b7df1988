"""A channel taken by hand: nobody else begins there, and whoever goes away leaves nothing connected."""

from __future__ import annotations

import pytest

from rig.bench.hand_operations import Operation
from rig.bench.hand_outcome import outcome_by_hand
from rig.bench.leases import LEASE_SECOND, by_hand_words
from rig.bench.locks import has_engine, lock_channels
from rig.core.errors import BadInput
from rig.engine.states import Verb
from tests.bench.hand_visits import Visitor
from tests.bench.hosts import Wishes, hosted, work
from tests.bench.test_hosting import is_disconnected
from tests.web.houses import HandClock

OCV, SPECTRUM, LEADS = Operation.OPEN_CIRCUIT, Operation.SPECTRUM, Operation.LEAD_CHECK


def test_what_is_done_by_hand_is_a_run_with_its_record_and_the_channel_stays_taken(tmp_path):
    with hosted(tmp_path) as (host, desk):
        maria = Visitor(desk)
        seen: dict[str, object] = {}

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            run = maria.does(LEADS, {"pulse": "1 mA"})
            yield lambda: desk.are_over(run) and not host.lives
            seen["between"] = has_engine("C1", desk.url), is_disconnected(host, "C1")
            second = maria.does(OCV, {"for": "5 s"})
            yield lambda: desk.are_over(second) and not host.lives
            yield maria.gives_back().is_answered
            seen["after"] = has_engine("C1", desk.url)

        work(host, wishes())
        assert seen == {"between": (True, True), "after": False}
        leads, ocv = (outcome_by_hand(desk.engine, desk.bench, run) for run in maria.runs)
        assert [one["state"] for one in (leads, ocv)] == ["finished"] * 2
        assert leads["leads_well"] is True
        verdicts = {one["what"]: one for one in leads["leads"]}
        assert verdicts["voltage"]["verdict"] == verdicts["pulse"]["verdict"] == "well"
        assert ocv["open_circuit"]["voltage_volt"] == pytest.approx(3.6, abs=0.9)
        journal = desk.rows("journal", maria.lease_id)
        assert [row["verb"] for row in journal] == ["take by hand", "give back"]
        assert {row["who"] for row in journal} == {"maria"}
        assert "disconnected" in journal[-1]["answer"]


def test_nobody_begins_on_a_channel_that_is_somebodys(tmp_path):
    """Neither through the engine, nor in another process, nor by another's lease."""
    with hosted(tmp_path) as (host, desk):
        maria, olaf = Visitor(desk), Visitor(desk, "olaf")
        seen: list[str] = []

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            with pytest.raises(BadInput, match="maria has it by hand"):
                desk.start("C1")
            with pytest.raises(BadInput, match="is running it"):
                lock_channels(desk.bench, [desk.bench.channels["C1"]], desk.url).close()
            yield olaf.takes("C1").is_answered
            seen.append(olaf.answer.words)
            (other,) = desk.start("C2")
            yield lambda: desk.are_over(other)
            seen.append(desk.state(other))

        work(host, wishes())
        assert seen == ["channel C1: maria has it by hand", "finished"]


def test_a_channel_with_a_run_is_not_given(tmp_path):
    with hosted(tmp_path, speed="100") as (host, desk):
        maria, runs = Visitor(desk), desk.start("C1")

        def wishes() -> Wishes:
            yield lambda: desk.state(runs[0]) == "running"
            yield maria.takes("C1").is_answered
            desk.asks(runs[0], Verb.STOP)
            yield lambda: desk.are_over(*runs)

        work(host, wishes())
        assert maria.answer.outcome == "refused"
        assert f"run {runs[0][:8]}" in maria.answer.words


def test_whoever_goes_away_loses_the_lease_and_the_cell_is_disconnected(tmp_path):
    """A page that is closed renews nothing: what it began is stopped, and that is on record."""
    with hosted(tmp_path, speed="20") as (host, desk):
        clock = host.hand.clock = HandClock()
        maria = Visitor(desk)
        seen: dict[str, object] = {}

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            run = maria.does(OCV, {"for": "1 h"})
            yield lambda: desk.state(run) == "running"
            for _ in range(3):  # somebody is there for longer than a lease lasts
                clock.pass_by(LEASE_SECOND * 0.7)
                maria.renews()
                held = host.hand._held["C1"]
                yield lambda held=held: held.until_second > clock.now() + LEASE_SECOND * 0.9
            seen["state while renewed"] = desk.state(run)
            clock.pass_by(LEASE_SECOND * 1.1)
            yield lambda: desk.are_over(run) and not maria.has_it()
            seen["locked"] = has_engine("C1", desk.url)
            seen["off"] = is_disconnected(host, "C1")

        work(host, wishes())
        assert seen == {"state while renewed": "running", "locked": False, "off": True}
        run = desk.record(maria.runs[0])
        assert run.state == "stopped"
        assert "has not renewed it" in run.values["reason"]
        over = desk.rows("journal", maria.lease_id)[-1]
        assert (over["verb"], over["who"], over["outcome"]) == ("lease over", "engine", "done")


def test_an_engine_that_ends_gives_every_lease_back(tmp_path):
    with hosted(tmp_path, speed="20") as (host, desk):
        maria = Visitor(desk)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            run = maria.does(OCV, {"for": "1 h"})
            yield lambda: desk.state(run) == "running"

        work(host, wishes(), "somebody switches it off")
        assert not maria.all_leases()
        assert is_disconnected(host, "C1")
        assert not has_engine("C1", desk.url)


def test_a_channel_that_is_made_safe_is_nobodys_any_more(tmp_path):
    """Who asks for it finds the channel free, and disconnects by every instrument himself."""
    with hosted(tmp_path) as (host, desk):
        maria = Visitor(desk)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            run = maria.does(OCV)
            yield lambda: desk.are_over(run) and not host.lives
            desk.asks(run, Verb.SAFE)
            yield lambda: not maria.has_it()
            yield lambda: not has_engine("C1", desk.url)

        work(host, wishes())
        assert "safe, by maria" in desk.rows("journal", maria.lease_id)[-1]["reason"]


def test_somebody_else_ends_a_lease_on_which_nothing_goes_on_and_its_chamber_with_it(tmp_path):
    """As "all safe" does it: on record with who and why, and answered when all is at rest."""
    with hosted(tmp_path, speed="200") as (host, desk):
        maria, olaf = Visitor(desk), Visitor(desk, "olaf")
        seen: dict[str, object] = {}

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            yield maria.holds(31).is_answered
            yield lambda: "chamber-c" in host.session.bench.chambers
            yield olaf.ends(maria.lease_id, "it smells").is_answered
            seen["held"] = maria.has_it(), has_engine("C1", desk.url), has_engine("C2", desk.url)
            yield lambda: not host.session.bench.drivers
            yield olaf.ends(maria.lease_id, "it smells").is_answered

        work(host, wishes())
        assert seen == {"held": (False, False, False)}
        first, again = desk.rows("journal", maria.lease_id)[-2:]
        assert (first["verb"], first["who"], first["reason"]) == ("end lease", "olaf", "it smells")
        assert first["answer"] == (
            "channel C1 is free; its cell is disconnected; chamber chamber-c is let go"
        )
        assert (again["outcome"], again["answer"]) == ("done", "the lease is over already")


# --- a chamber -----------------------------------------------------------------------------------


def test_a_chamber_is_held_by_hand_while_nobody_else_may_begin_in_it(tmp_path):
    with hosted(tmp_path, speed="200") as (host, desk):
        maria = Visitor(desk)
        seen: dict[str, object] = {}

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            yield maria.holds(31).is_answered
            yield lambda: "chamber-c" in host.session.bench.chambers
            chamber = host.session.bench.chambers["chamber-c"]
            yield lambda: chamber.latest is not None and chamber.latest.setpoint_celsius == 31
            seen["words"] = by_hand_words(desk.engine, desk.bench, "C2")
            with pytest.raises(BadInput, match="holds chamber chamber-c at 31 degC"):
                desk.start("C2")
            run = maria.does(OCV)
            yield lambda: desk.are_over(run) and not host.lives
            seen["still"] = chamber.latest.setpoint_celsius, chamber.latest.running
            yield maria.gives_back().is_answered
            yield lambda: not host.session.bench.drivers
            seen["free"] = [has_engine(name, desk.url) for name in ("C1", "C2")]
            (other,) = desk.start("C2", text=_SHORT)
            yield lambda: desk.are_over(other)
            seen["other"] = desk.state(other)

        work(host, wishes())
        assert seen == {
            "words": "maria holds chamber chamber-c at 31 degC",
            "still": (31.0, True),
            "free": [False, False],
            "other": "finished",
        }


_SHORT = "protocol: 1\nname: short\nsteps:\n  - rest: {for: 2 s}\n"


def test_a_chamber_in_which_a_cell_runs_is_nobodys_to_heat(tmp_path):
    with hosted(tmp_path, speed="20") as (host, desk):
        maria, runs = Visitor(desk), desk.start("C2")

        def wishes() -> Wishes:
            yield lambda: desk.state(runs[0]) == "running"
            yield maria.takes("C1").is_answered
            yield maria.holds(40).is_answered

        work(host, wishes())
        assert maria.answer.outcome == "refused"
        assert "channel C2 is in it" in maria.answer.words
