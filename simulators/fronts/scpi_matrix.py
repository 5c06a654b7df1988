"""A relay scanner with SCPI-1999's ROUTe commands on its wire: closes and opens paths, no more.

Written from the standard (SCPI-1999 volume 2, ROUTe subsystem), not from any instrument's manual:
closing a path opens no other, ``*RST`` opens all. Knows paths and nothing of what they lead to.

Simulator's choices: a relay takes 30 ms; a channel that does not exist is -222 and a list that
cannot be read -171, and then no relay of the command moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from rig.core.errors import BadInput, Problem
from simulators.fronts import scpi_rows as rows
from simulators.fronts.scpi import Action, Arguments, CommandTree, Prepare
from simulators.fronts.scpi_front import COMMON, ScpiFront, ScpiInstrument

_MODELS = ("matrix",)
_RELAY_SECOND = 0.03


class Paths(Protocol):
    """The switchboard behind the relays, as simulators.models.switchboard has one."""

    @property
    def cells(self) -> Mapping[str, object]: ...

    @property
    def closed(self) -> tuple[str, ...]: ...

    def close(self, path: str, now_second: float) -> None: ...

    def open(self, path: str, now_second: float) -> None: ...

    def open_all(self, now_second: float) -> None: ...


class Matrix(ScpiInstrument):
    """The relays in front of a switchboard, moved one after the other."""

    def __init__(self, identity: str, board: Paths) -> None:
        super().__init__(identity)
        self.board = board

    def reset(self) -> None:
        self.board.open_all(self.now)

    def switch(self, paths: tuple[str, ...], *, close: bool) -> None:
        """Move the relays of ``paths`` in order; one that already stands so costs no time."""
        for path in paths:
            if (path in self.board.closed) is close:
                continue
            self.spend(_RELAY_SECOND)
            if close:
                self.board.close(path, self.now)
            else:
                self.board.open(path, self.now)

    def open_all(self) -> None:
        """Let every relay fall open at once."""
        if self.board.closed:
            self.spend(_RELAY_SECOND)
        self.board.open_all(self.now)

    def states(self, paths: tuple[str, ...], *, closed: bool) -> str:
        """Return 1 for each path that stands as asked, else 0, parted by commas."""
        return ",".join(str(int((path in self.board.closed) is closed)) for path in paths)


def _switch(arguments: Arguments, _suffixes: tuple[int, ...], *, close: bool) -> Action[Matrix]:
    channels = rows.channel_list(arguments)
    return lambda matrix: matrix.switch(
        rows.known_channels(channels, matrix.board.cells), close=close
    )


def _tell(arguments: Arguments, _suffixes: tuple[int, ...], *, closed: bool) -> Action[Matrix]:
    channels = rows.channel_list(arguments)
    return lambda matrix: matrix.states(
        rows.known_channels(channels, matrix.board.cells), closed=closed
    )


_ROUTE: dict[str, Prepare[Matrix]] = {
    "ROUTe:CLOSe": partial(_switch, close=True),
    "ROUTe:CLOSe?": partial(_tell, closed=True),
    "ROUTe:OPEN": partial(_switch, close=False),
    "ROUTe:OPEN?": partial(_tell, closed=False),
    "ROUTe:OPEN:ALL": rows.do(lambda matrix: matrix.open_all()),
}
_TREE: CommandTree[Matrix] = CommandTree({**COMMON, **_ROUTE})


class ScpiMatrixFront(ScpiFront[Matrix]):
    """The scanner as a Front; ``cell`` is the switchboard that an analyser sees as its cell."""

    def __init__(self, name: str, cell: Paths, *, seed: int, model: str = "matrix") -> None:
        if model not in _MODELS:
            message = f"got model {model!r}, expected {' or '.join(_MODELS)}"
            raise BadInput(Problem(name, message, example=f"model: {_MODELS[0]}"))
        serial = f"{seed % 10**8:08d}"
        super().__init__(Matrix(f"SIMULATED,MATRIX,{serial},1.0", cell), _TREE)
