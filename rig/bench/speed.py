"""Which clock a bench lives on: real instruments in real time, simulated ones as fast as asked."""

from __future__ import annotations

from rig.bench.file import BenchFile
from rig.core.clock import SIMULATED_EPOCH_US, Clock, PacedClock, RealClock, SimulatedClock
from rig.core.errors import BadInput, Problem
from rig.wire.address import SerialAddress, SocketAddress, parse_address

MAX_SPEED = "max"
_THIS_MACHINE = ("localhost", "127.", "::1", "[::1]")
_PTY = "/dev/pts/"


def make_clock(bench: BenchFile, speed: str | None, start_us: int = SIMULATED_EPOCH_US) -> Clock:
    """Return the clock for a bench and ``--speed``: a number of times faster, or ``max``.

    ``start_us`` is where simulated wall time begins. Raises BadInput for what is no speed, and for
    real instruments that are to live faster than their bench file says.
    """
    if speed is None:
        speed = MAX_SPEED if bench.simulated else f"{bench.speed or 1:g}"
    if speed == MAX_SPEED:
        if bench.simulated:
            return SimulatedClock(start_us)
        problem = Problem(
            "--speed", "max needs simulated instruments", example="--bench sim --speed max"
        )
        raise BadInput(problem)
    factor = _factor(speed)
    if bench.simulated:
        return PacedClock(factor, start_us)
    _require_real_time(bench, factor)
    return RealClock(factor, start_us)


def require_speed(bench: BenchFile, speed: str | None) -> None:
    """Raise BadInput for what ``make_clock`` would refuse, before anything is written."""
    make_clock(bench, speed)


def _factor(speed: str) -> float:
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise BadInput(
            Problem("--speed", f"got {speed!r}, expected a number above 0 or max", example="20")
        )
    return factor


def _require_real_time(bench: BenchFile, factor: float) -> None:
    """Every timeout, soak and trip would come early or late on a clock that is not the instruments'."""
    expected = bench.speed or 1.0
    local = all(_is_served_here(spec.connect) for spec in bench.instruments.values())
    if factor == expected or (bench.speed is None and local):
        return
    message = (
        f"got {factor:g}, expected {expected:g}: real instruments live in real time; "
        "a bench of served simulators says `speed:` itself"
    )
    raise BadInput(
        Problem("--speed", message), remedy=f"leave --speed away, or see speed: in {bench.file}"
    )


def _is_served_here(connect: str) -> bool:
    """Say whether this is an address that ``rig simulate`` gives: this machine's, no real port."""
    match parse_address(connect):
        case SocketAddress(host=host):
            return host.startswith(_THIS_MACHINE)
        case SerialAddress(url=url):
            return url.startswith(_PTY)
        case _:
            return False
