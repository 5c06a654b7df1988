"""A PalmSens MethodSCRIPT potentiostat as its serial port shows it.

Knows bytes and lines; the script language, the potentiostat and the cell lie behind. The front is
lazy: a running script is advanced to the time that comes with a call, and every point asks the
cell at the point's own time, so a host that reads late still gets every package.

Chosen where the sheet is open: an empty line at idle is not answered, a line longer than 256
characters is 0008, no register exists (``G`` answers 0004), flash holds no script (``Lmscr``
answers 000C), and replies take no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem
from simulators.fronts.methodscript_device import Noise, PgStat
from simulators.fronts.methodscript_errors import Code, LoadError
from simulators.fronts.methodscript_language import LONGEST_LINE, Parser, Program
from simulators.fronts.methodscript_models import MODELS, Model, model_named
from simulators.fronts.methodscript_run import Dialect, Run
from simulators.interfaces import Cell

_XON = "\x11"
_DEAF_SECOND = 0.1
_BUILD = "1304#Oct  1 2025 12:00:00"
_SCRIPT_VERSION = "01.08.00"
# The host's CR, XON and XOFF are no part of a line.
_IGNORED = dict.fromkeys(map(ord, "\r\x11\x13"))
_SERVED_WHILE_RUNNING = frozenset("ZYhHt")


@dataclass(frozen=True, slots=True)
class Faults:
    """Switches for tests.

    ``critical_overload_after_packages``: a script that starts now ends in 0032 after so many.
    ``mute``: it listens and acts, and sends nothing. ``abort_delay_second``: Z is acknowledged at
    once and obeyed so much later.
    """

    critical_overload_after_packages: int | None = None
    mute: bool = False
    abort_delay_second: float = 0.0


class MethodScriptFront:
    """One instrument on one cell, or on ``cells`` by channel number; implements ``Front``.

    Only a MultiEmStat4 takes more than one of ``cells``, which begin with ``cell``. ``model`` is the
    type code of the ``t`` reply. Unread output is kept up to ``output_limit_byte``
    (an hour of one package a second is about 150 kB); what comes after is lost line by line, as at
    a port that nobody reads, and counted in ``lost_lines``. ``faults`` may be replaced at any time.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        model: str = "nexus1",
        cells: Sequence[Cell] | None = None,
        seed: int,
        serial: str = "NEX1SIM0001",
        noise: bool = True,
        impedance_noise: float = 0.003,
        impedance_floor_ohm: float = 1e-3,
        dialect: Dialect = Dialect(),  # noqa: B008 - frozen
        faults: Faults = Faults(),
        output_limit_byte: int = 1 << 20,
    ) -> None:
        self.faults = faults
        self.lost_lines = 0
        self._model = model_named(model)
        # Other channels have other noise; what they drive is told apart by their cells.
        self._devices = [
            PgStat(
                name,
                one,
                self._model,
                Noise(noise, impedance_noise, impedance_floor_ohm),
                seed + channel,
            )
            for channel, one in enumerate(_checked(name, cell, cells, self._model))
        ]
        self._serial = serial
        self._dialect = dialect
        self._output_limit = output_limit_byte
        self._output: list[str] = [_XON] if self._model.xon_at_power_up else []
        self._output_size = len(self._output)
        self._input = bytearray()
        self._now = 0.0
        self._deaf_until = float("-inf")
        self._connected = True
        self._last_lost = ""
        self._program: Program | None = None
        self._parser: Parser | None = None
        self._upload = ""  # the letter of the command that is uploading, "e" or "l"
        self._run: Run | None = None
        self._commands: dict[str, Callable[[], None]] = {
            "t": self._identify,
            "i": lambda: self._send(f"i{self._serial}"),
            "v": lambda: self._send(f"v{_SCRIPT_VERSION}"),
            "e": lambda: self._begin_upload("e"),
            "l": lambda: self._begin_upload("l"),
            "r": self._run_loaded,
            "Lmscr": lambda: self._refuse("L", Code.NO_SCRIPT),
            "Z": self._abort,
            "Y": self._break_measurement,
            "h": self._hold,
            "H": self._resume,
        }

    # The Front interface

    def receive(self, data: bytes, now_second: float) -> None:
        self._advance(now_second)
        self._connect()
        if now_second < self._deaf_until:
            return
        self._input += data
        while (end := self._input.find(b"\n")) >= 0:
            line = self._input[:end].decode("latin-1").translate(_IGNORED)
            del self._input[: end + 1]
            self._take(line)
            self._advance(now_second)
            if now_second < self._deaf_until:
                self._input.clear()

    def transmit(self, now_second: float) -> bytes:
        self._advance(now_second)
        self._connect()
        sent = "".join(self._output).encode("latin-1")
        self._output.clear()
        self._output_size = 0
        return sent

    def next_output_second(self) -> float | None:
        """Return when the script's next command is due: the next byte comes then or later."""
        if self._output:
            return self._now
        return None if self._run is None else self._run.next_second

    def disconnected(self, now_second: float) -> None:
        """Lose unread output; a running script goes on with the cell on, and its output is lost.

        The device does not notice: half a line or half an uploaded script stays, too, and the
        next host's first empty line ends it.
        """
        self._advance(now_second)
        self._connected = False
        self._last_lost = ""
        self._output.clear()
        self._output_size = 0

    # Time and output

    def _advance(self, now_second: float) -> None:
        self._now = max(self._now, now_second)
        run = self._run
        if run is None:
            return
        run.advance(self._now)
        if run.finished:
            if run.failed:
                self._deaf_until = run.now() + _DEAF_SECOND
            self._run = None

    def _connect(self) -> None:
        """Let the host hear again: in the middle of the line that was last sent into the void."""
        if self._connected:
            return
        self._connected = True
        if self._run is not None and self._last_lost:
            self._store(self._last_lost[len(self._last_lost) // 2 :])

    def _send(self, line: str) -> None:
        self._store(line + "\n")

    def _store(self, text: str) -> None:
        if not self._connected:
            self._last_lost = text
        elif self.faults.mute:
            return
        elif self._output_size + len(text) > self._output_limit:
            self.lost_lines += 1
        else:
            self._output.append(text)
            self._output_size += len(text)

    def _refuse(self, letter: str, code: Code, where: str = "") -> None:
        self._send(f"{letter}!{code.value}{where}")
        self._deaf_until = self._now + _DEAF_SECOND

    # Lines

    def _take(self, line: str) -> None:
        if self._parser is not None:
            self._take_script_line(self._parser, line)
        elif not line:
            return
        elif self._run is not None and line not in _SERVED_WHILE_RUNNING:
            self._refuse(line[0], Code.WRONG_STATE)
        elif line in self._commands:
            self._commands[line]()
        elif len(line) > LONGEST_LINE:
            self._refuse(line[0], Code.LINE_TOO_LONG)
        elif line[0] == "G":
            self._refuse("G", _register_refusal(line[1:]))
        else:
            self._refuse(line[0], Code.UNKNOWN_COMMAND)

    def _identify(self) -> None:
        self._send(f"t{self._model.type_code}{_BUILD}")
        self._send("R*")

    # Scripts

    def _begin_upload(self, letter: str) -> None:
        self._upload = letter
        self._parser = Parser()

    def _take_script_line(self, parser: Parser, line: str) -> None:
        try:
            if line:
                parser.feed(line)
                return
            self._program = parser.finish()
        except LoadError as error:
            self._parser = None
            self._refuse(self._upload, error.code, error.where)
            return
        self._parser = None
        if self._upload == "e":
            self._start(self._program, "e")
        else:
            self._send("l")

    def _run_loaded(self) -> None:
        if self._program is None:
            self._refuse("r", Code.NO_SCRIPT)
        else:
            self._start(self._program, "r")

    def _start(self, program: Program, letter: str) -> None:
        self._store(letter if self._dialect.joined_acknowledge else letter + "\n")
        self._run = Run(
            program,
            self._devices,
            self._send,
            self._now,
            dialect=self._dialect,
            packages_left=self.faults.critical_overload_after_packages,
        )

    def _abort(self) -> None:
        if self._run is None:
            self._refuse("Z", Code.WRONG_STATE)
        else:
            self._send("Z")
            self._run.abort(self._now, self.faults.abort_delay_second)

    def _break_measurement(self) -> None:
        self._answer("Y", self._run is not None and self._run.break_measurement(self._now))

    def _hold(self) -> None:
        self._answer("h", self._run is not None and self._run.hold(self._now))

    def _resume(self) -> None:
        self._answer("H", self._run is not None and self._run.resume(self._now))

    def _answer(self, letter: str, done: bool) -> None:
        if done:
            self._send(letter)
        else:
            self._refuse(letter, Code.WRONG_STATE)


def _checked(name: str, cell: Cell, cells: Sequence[Cell] | None, model: Model) -> Sequence[Cell]:
    """Return the cells by channel number; BadInput where the model has no such channels."""
    if cells is None:
        return (cell,)
    if not cells or cells[0] is not cell:
        raise BadInput(Problem(name, "`cells` must begin with `cell`, that of channel 0"))
    if len(cells) > 1 and not model.multichannel:
        known = ", ".join(code for code, one in MODELS.items() if one.multichannel)
        message = f"got {len(cells)} cells, a {model.type_code} has one channel; {known} have more"
        raise BadInput(Problem(name, message))
    return tuple(cells)


def _register_refusal(address: str) -> Code:
    is_hex = len(address) == 2 and all(digit in "0123456789ABCDEFabcdef" for digit in address)
    return Code.UNKNOWN_REGISTER if is_hex else Code.BAD_ARGUMENT
