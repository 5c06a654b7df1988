"""What a script prints: packages and texts, which it can switch off. Knows no time and no cell."""

from __future__ import annotations

from collections.abc import Callable

from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_packages import Variable


class ScriptOutput:
    """One script's output; ``send`` takes a line without its line feed.

    ``packages_left`` counts down to a critical overload (a fault switch); None: never.
    """

    def __init__(self, send: Callable[[str], None], packages_left: int | None) -> None:
        self._send = send
        self._packages_left = packages_left
        self._on = True
        self._package: list[str] | None = None

    def commands(self) -> dict[str, Callable[..., None]]:
        """Return the script commands that are carried out here."""
        return {
            "set_script_output": self._switch,
            "send_string": self._send_string,
            "pck_start": self._start,
            "pck_add": self._add,
            "pck_end": self._end,
        }

    def emit(self, line: str) -> None:
        """Send a line of the script; acknowledges, errors and the last line go past this."""
        if self._on:
            self._send(line)

    def drop_package(self) -> None:
        """Forget a package that an abort has cut short."""
        self._package = None

    def _switch(self, mode: Variable) -> None:
        if mode.value not in (0, 1, 3):
            raise ScriptError(Code.BAD_ARGUMENT)
        self._on = mode.value != 0

    def _send_string(self, parts: list[str | Variable]) -> None:
        # How the device writes a number in a text is not in the sheet: plain, six digits.
        texts = (part if isinstance(part, str) else f"{part.value:.6g}" for part in parts)
        self.emit("T" + "".join(texts))

    def _start(self) -> None:
        if self._package is not None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        self._package = []

    def _add(self, x: Variable) -> None:
        self._open_package().append(x.encoded())

    def _end(self) -> None:
        self.emit("P" + ";".join(self._open_package()))
        self._package = None
        if self._packages_left is not None:
            self._packages_left -= 1
            if self._packages_left <= 0:
                raise ScriptError(Code.CRITICAL_OVERLOAD)

    def _open_package(self) -> list[str]:
        if self._package is None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        return self._package
