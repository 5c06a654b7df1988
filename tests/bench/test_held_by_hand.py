"""What everybody is shown of a channel that is held by hand: by whom, and for how long yet."""

from __future__ import annotations

import pytest

from rig.bench.held_by_hand import held_words
from rig.bench.leases import LEASE_SECOND, Lease
from rig.bench.live import Live
from tests.bench.hand_visits import Visitor
from tests.bench.hosts import Wishes, hosted, work

TAKEN_US = 1_800_000_000_000_000
LEASE = Lease(
    *("l1", "C1", "anna", "a new cell", TAKEN_US, 4711),
    chamber="chamber-c",
    temperature_celsius=31.5,
    chamber_channels=("C1", "C2"),
)


@pytest.mark.parametrize(
    ("channel", "renewed_second", "now_second", "words"),
    [
        ("C1", 0, 0, "by hand: anna, 90 s left"),
        ("C1", 0, 29, "by hand: anna, 90 s left"),  # it stands still while somebody renews
        ("C1", 600, 611, "by hand: anna, 90 s left"),
        ("C1", 600, 631, "by hand: anna, 60 s left"),
        ("C1", 600, 689, "by hand: anna, 30 s left"),
        ("C1", 600, 600 + LEASE_SECOND, "by hand: anna, about to be taken back"),
        ("C1", 0, -3600, "by hand: anna, 90 s left"),  # this computer's clock was set back
        ("C2", 600, 631, "chamber by hand: anna, 31.5 degC, 60 s left"),
    ],
)
def test_it_is_said_who_has_it_and_for_how_long_yet(channel, renewed_second, now_second, words):
    now_us = TAKEN_US + round(now_second * 1e6)
    renewed_us = TAKEN_US + renewed_second * 1_000_000 if renewed_second else 0
    assert held_words(LEASE, channel, renewed_us, now_us) == words


def test_who_looks_sees_who_has_a_channel_and_the_chamber_that_others_are_in(tmp_path):
    """Also on a channel where nothing has ever run, and only for as long as the lease lasts."""
    with hosted(tmp_path, speed="200") as (host, desk):
        maria, live = Visitor(desk), Live(desk.engine, desk.url)
        seen = []

        def shown() -> dict[str, str]:
            return {one.channel: one.by_hand for one in live.look().channels if one.by_hand}

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            seen.append(shown())
            yield maria.holds(31).is_answered
            seen.append(shown())
            maria.renews()
            yield maria.gives_back().is_answered
            seen.append(shown())

        work(host, wishes())
        own, chamber = "by hand: maria, 90 s left", "chamber by hand: maria, 31 degC, 90 s left"
        assert seen == [{"C1": own}, {"C1": own, "C2": chamber}, {}]


def test_of_a_lease_whose_engine_is_dead_nothing_is_shown(tmp_path):
    with hosted(tmp_path) as (host, desk):
        maria, live = Visitor(desk), Live(desk.engine, desk.url)

        def wishes() -> Wishes:
            yield maria.takes("C1").is_answered
            assert live.look().channels[0].by_hand

        work(host, wishes())
        assert Live(desk.engine, desk.url).look().channels == ()
