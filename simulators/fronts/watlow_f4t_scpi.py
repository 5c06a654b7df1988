"""A Watlow F4T on SCPI over TCP: lines that end in LF, and set commands that give no reply.

Only the commands and queries that the sheet spells out exist, in their long form. The controller
itself is in watlow_controller.py.

Simulator's choices, where the sheet is silent: what is not understood or refused is dropped without
a word, as a set command's success is; numbers have six decimals; 20 ms from a query to its reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from simulators.fronts.chamber_front import ChamberFront
from simulators.fronts.scpi import (
    Action,
    Arguments,
    CommandTree,
    Prepare,
    ScpiError,
    boolean,
    integer,
    keyword,
    number,
    take,
)
from simulators.fronts.watlow_controller import F4T
from simulators.fronts.watlow_settings import Machine, RampAction, RampScale, Units, ValueRefused
from simulators.interfaces import ChamberAir

_REPLY_SECOND = 0.02
_LONGEST_LINE = 1024
_IDENTITY = '"Watlow Electric",F4T,0000,04:05:0007'
_OUTPUTS = 7
_LAST_PROFILE = 40

Word = TypeVar("Word", bound=int)


class WatlowF4TScpiFront(ChamberFront[F4T]):
    """The chamber as a Front."""

    def __init__(
        self, name: str, air: ChamberAir, *, seed: int, machine: Machine | None = None
    ) -> None:
        super().__init__(F4T(name, air, seed=seed, machine=machine or Machine()), _REPLY_SECOND)
        self._unread = b""

    def replies(self, data: bytes, now_second: float) -> Iterator[bytes]:
        """Answer queries; do all else in silence."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        self._unread = self._unread[-_LONGEST_LINE:]
        for line in lines:
            for action in _TREE.compile(line.strip()):
                reply = self._run(action)
                if reply is not None:
                    yield reply.encode("ascii") + b"\n"

    def _run(self, action: Action[F4T]) -> str | None:
        try:
            return action(self.controller)
        except (ScpiError, ValueRefused):
            return None

    def forget(self) -> None:
        self._unread = b""


# -- rows of the table -----------------------------------------------------------------------------


def _ask(read: Callable[[F4T], str]) -> Prepare[F4T]:
    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[F4T]:
        take(arguments, 0)
        _only_loop_1(suffixes)
        return read

    return prepare


def _ask_number(read: Callable[[F4T], float]) -> Prepare[F4T]:
    return _ask(lambda controller: f"{read(controller):.6f}")


def _set_number(write: Callable[[F4T, float], None]) -> Prepare[F4T]:
    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[F4T]:
        _only_loop_1(suffixes)
        value = number(take(arguments, 1)[0])
        return lambda controller: write(controller, value)

    return prepare


def _set_word(words: dict[str, Word], write: Callable[[F4T, Word], None]) -> Prepare[F4T]:
    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[F4T]:
        _only_loop_1(suffixes)
        choice = words[keyword(take(arguments, 1)[0], tuple(words))]
        return lambda controller: write(controller, choice)

    return prepare


def _only_loop_1(suffixes: tuple[int, ...]) -> None:
    if any(suffix != 1 for suffix in suffixes):
        raise ScpiError(-113, "a temperature-only chamber")


def _set_output(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[F4T]:
    event, on = _output(suffixes), boolean(take(arguments, 1)[0])
    return lambda controller: controller.switch_event(event, on)


def _ask_output(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[F4T]:
    take(arguments, 0)
    event = _output(suffixes)
    return lambda controller: "ON" if controller.events[event - 1] else "OFF"


def _output(suffixes: tuple[int, ...]) -> int:
    (event,) = suffixes
    if not 1 <= event <= _OUTPUTS:
        raise ScpiError(-113, "outputs are 1 to 7")
    return event


def _set_profile(name: str, highest: int) -> Prepare[F4T]:
    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[F4T]:
        value = integer(take(arguments, 1)[0], 1, highest)
        return lambda controller: setattr(controller, name, value)

    return prepare


def _run_profile(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[F4T]:
    verbs: dict[str, Action[F4T]] = {
        "START": F4T.start_profile,
        "STOP": F4T.terminate_profile,
        "PAUSE": F4T.pause_profile,
        "RESUME": F4T.resume_profile,
    }
    return verbs[keyword(take(arguments, 1)[0], tuple(verbs))]


def _set_units(controller: F4T, units: Units) -> None:
    controller.units = units


def _set_ramp_action(controller: F4T, action: RampAction) -> None:
    controller.ramp_action = action


def _set_ramp_scale(controller: F4T, scale: RampScale) -> None:
    controller.ramp_scale = scale


_LOOP = "SOURCE:CLOOP#:"

_TREE: CommandTree[F4T] = CommandTree(
    {
        "*IDN?": _ask(lambda _controller: _IDENTITY),
        "UNIT:TEMPERATURE?": _ask(
            lambda controller: "C" if controller.units is Units.CELSIUS else "F"
        ),
        "UNIT:TEMPERATURE": _set_word({"C": Units.CELSIUS, "F": Units.FAHRENHEIT}, _set_units),
        # The panel's own units: nothing on the wire shows them.
        "UNIT:TEMPERATURE:DISPLAY": _set_word({"C": 0, "F": 0}, lambda _controller, _none: None),
        _LOOP + "PVALUE?": _ask_number(F4T.process_value),
        _LOOP + "SPOINT?": _ask_number(lambda controller: controller.set_point),
        _LOOP + "SPOINT": _set_number(F4T.change_set_point),
        _LOOP + "ERROR?": _ask(lambda controller: "NONE" if controller.healthy else "ERROR"),
        _LOOP + "RACTION": _set_word({a.name: a for a in RampAction}, _set_ramp_action),
        _LOOP + "RSCALE": _set_word({s.name: s for s in RampScale}, _set_ramp_scale),
        _LOOP + "RRATE": _set_number(F4T.change_ramp_rate),
        "OUTPUT#:STATE": _set_output,
        "OUTPUT#:STATE?": _ask_output,
        "PROGRAM:NUMBER": _set_profile("profile_number", _LAST_PROFILE),
        "PROGRAM:NAME?": _ask(lambda controller: f'"Profile {controller.profile_number}"'),
        "PROGRAM:STEP": _set_profile("profile_step", 100),
        "PROGRAM:SELECTED:STATE": _run_profile,
    }
)
