"""Channels of a wall stand as people count, whatever a lab calls them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.bench.status import ChannelStatus, in_order


def ordered(*names: str) -> list[str]:
    found = sorted((ChannelStatus("r", "rig", name, "free") for name in names), key=in_order)
    return [status.channel for status in found]


def test_numbers_in_names_are_counted_and_not_spelt() -> None:
    assert ordered("B1", "A10", "A2", "A1") == ["A1", "A2", "A10", "B1"]
    assert ordered("bay 2/10", "bay 10/1", "bay 2/9") == ["bay 2/9", "bay 2/10", "bay 10/1"]
    assert ordered("P1", "P", "7") == ["7", "P", "P1"]
    assert ordered("A1", "A01") == ordered("A01", "A1") == ["A01", "A1"]


def test_rigs_come_one_after_the_other() -> None:
    a2, b1 = ChannelStatus("1", "a", "A2", "free"), ChannelStatus("2", "b", "A1", "free")
    assert sorted([b1, a2], key=in_order) == [a2, b1]


@given(st.lists(st.text(max_size=8), max_size=6))
def test_every_name_has_a_place(names: list[str]) -> None:
    assert ordered(*names) == ordered(*sorted(names))
