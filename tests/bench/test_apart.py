"""Work in a process beside this one: answers and errors come back, and nobody waits for ever."""

from __future__ import annotations

import os
import threading

import pytest

from rig.bench.apart import Apart, Busy
from rig.core.errors import AnalysisError, BadInput, Problem, RigError

pytestmark = pytest.mark.xdist_group("processes")


def double(number: int) -> int:
    return 2 * number


def fail(how: str) -> None:
    if how == "input":
        raise BadInput([Problem("a", "is wrong"), Problem("b", "too")], remedy="mend it")
    if how == "data":
        raise AnalysisError("too few", remedy="measure more")
    if how == "bug":
        raise KeyError(how)
    os._exit(9)


def wait_for_ever() -> None:
    threading.Event().wait(600)


def test_an_answer_comes_back_from_another_process() -> None:
    assert Apart().call("doubling", 60.0, double, 21) == 42


def test_errors_come_back_whole() -> None:
    apart = Apart()
    with pytest.raises(BadInput) as bad:
        apart.call("failing", 60.0, fail, "input")
    assert [one.where for one in bad.value.problems] == ["a", "b"]
    assert bad.value.remedy == "mend it"
    with pytest.raises(AnalysisError, match="too few"):
        apart.call("failing", 60.0, fail, "data")
    with pytest.raises(RigError, match="internal error: KeyError"):
        apart.call("failing", 60.0, fail, "bug")
    with pytest.raises(RigError, match="failing: the process that worked on it died"):
        apart.call("failing", 60.0, fail, "dead")


def test_what_takes_too_long_is_given_up_and_the_next_one_has_its_turn() -> None:
    apart = Apart(loading_second=0.0)
    with pytest.raises(RigError, match="waiting: not done"):
        apart.call("waiting", 0.2, wait_for_ever)
    assert apart.call("doubling", 60.0, double, 1) == 2


def test_who_gets_no_turn_is_told() -> None:
    with pytest.raises(Busy, match="others are at it already"):
        Apart(turns=0, turn_second=0.0).call("doubling", 1.0, double, 1)


def test_a_server_that_goes_ends_what_is_at_work_and_takes_no_more() -> None:
    apart = Apart()
    said: list[str] = []

    def ask() -> None:
        try:
            apart.call("waiting", 600.0, wait_for_ever)
        except RigError as error:
            said.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    while not apart.at_work:
        asking.join(0.01)
    apart.close()
    asking.join(60)
    assert said == ["waiting: the process that worked on it died, perhaps for want of memory"]
    with pytest.raises(Busy, match="the server is going"):
        apart.call("doubling", 60.0, double, 1)
