"""An engine's process is begun again when it dies, but not for ever, and not when it was ended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rig.bench.engine_process import MOST_DEATHS, EngineProcess
from rig.core.errors import BadInput, RigError


class HandClock:
    """Time that the test moves."""

    speed = 1.0

    def __init__(self) -> None:
        self.second = 0.0

    def now(self) -> float:
        return self.second

    def wall_us(self) -> int:
        return round(self.second * 1e6)

    def wait_until(self, deadline_second: float) -> None:
        self.second = max(self.second, deadline_second)


def ending_with(code: int, folder: Path) -> EngineProcess:
    """An engine that ends at once."""
    command = [sys.executable, "-S", "-c", f"raise SystemExit({code})"]
    return EngineProcess(command, f"sqlite:///{folder / 'rig.db'}", HandClock())


def die(engine: EngineProcess) -> None:
    """Let its present process come to its end, and have that seen."""
    process = engine._process
    assert process is not None
    process.wait(30.0)
    engine.look()


def begun_again(engine: EngineProcess) -> bool:
    engine.clock.wait_until(engine.clock.now() + 70.0)
    engine.look()
    return engine._process is not None


def test_one_that_dies_is_begun_again_until_it_has_died_too_often(tmp_path: Path) -> None:
    engine = ending_with(3, tmp_path)
    engine._begin()
    for _ in range(MOST_DEATHS):
        die(engine)
        assert begun_again(engine)
    die(engine)
    assert not begun_again(engine)
    assert "died 6 times within an hour" in engine.trouble


@pytest.mark.parametrize("code", [0, 2])
def test_one_that_was_ended_or_refused_is_not(tmp_path: Path, code: int) -> None:
    engine = ending_with(code, tmp_path)
    engine._begin()
    die(engine)
    assert not begun_again(engine)
    assert engine.trouble


def test_one_that_was_found_here_and_has_gone_is_begun_too(tmp_path: Path) -> None:
    engine = ending_with(0, tmp_path)
    engine.look()
    assert begun_again(engine)
    die(engine)


def test_one_that_does_not_begin_says_so(tmp_path: Path) -> None:
    engine = ending_with(3, tmp_path)
    engine.clock.wait_until = lambda _second: engine._process.wait(30.0)
    with pytest.raises(RigError, match="ended at once, with code 3"):
        engine.start()
    engine.command[-1] = "raise SystemExit(2)"
    with pytest.raises(BadInput):
        engine.start()


def test_after_a_stop_nothing_is_begun(tmp_path: Path) -> None:
    engine = ending_with(3, tmp_path)
    assert engine.stop()
    assert not begun_again(engine)
