"""SCPI as instruments speak it: program messages, the command tree, the event queue.

Knows the grammar of IEEE 488.2 and SCPI-1999 and nothing of any instrument. A program message
compiles once, by its exact bytes, into a tuple of actions; running one costs a dictionary look-up,
because a host polls with the same few messages all day.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, NoReturn, TypeVar

F = TypeVar("F")

# A command made ready to run: takes the instrument, returns the answer's text if it has one.
Action = Callable[[F], str | None]

_ERROR_TEXTS = {
    -102: "Syntax error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -200: "Execution error",
    -221: "Settings conflict",
    -222: "Parameter data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -285: "TSP Syntax error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
}
ERROR, WARNING = 1, 2

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PATTERN_NODE = re.compile(r"(\[)?:?(\*?[A-Za-z]+)(#)?\]?")
_LARGEST_CACHE = 4096


class ScpiError(Exception):
    """A command refused: goes to the event queue; ``kind`` 1 is an error, 2 a warning."""

    def __init__(self, code: int, detail: str = "", *, kind: int = ERROR) -> None:
        text = _ERROR_TEXTS.get(code, "")
        super().__init__(": ".join(part for part in (text, detail) if part))
        self.code = code
        self.detail = detail
        self.kind = kind


class Argument(NamedTuple):
    """One parameter as it was written; ``quoted`` when it stood in single or double quotes."""

    text: str
    quoted: bool


Arguments = tuple[Argument, ...]
# Reads the parameters and numeric suffixes of one command, once, and returns what to run.
Prepare = Callable[[Arguments, tuple[int, ...]], Action[F]]


@dataclass(slots=True)
class _Node(Generic[F]):
    children: dict[str, _Node[F]] = field(default_factory=dict)
    numbered: bool = False
    command: Prepare[F] | None = None
    query: Prepare[F] | None = None


class CommandTree(Generic[F]):
    """All commands of an instrument, looked up by any spelling that SCPI allows.

    Patterns are written as manuals write them: capitals are the short form, ``[:LEVel]`` may be
    left out, ``LINE#`` carries a number (1 when absent), a final ``?`` makes a query.
    """

    def __init__(self, commands: Mapping[str, Prepare[F]]) -> None:
        self._root: _Node[F] = _Node()
        self._compiled: dict[bytes, tuple[Action[F], ...]] = {}
        for pattern, prepare in commands.items():
            nodes = [
                (bool(optional), name, bool(number))
                for optional, name, number in _PATTERN_NODE.findall(pattern)
            ]
            self._add(self._root, nodes, prepare, is_query=pattern.endswith("?"))

    def compile(self, message: bytes) -> tuple[Action[F], ...]:
        """Return the actions of one program message (without its terminator), in order.

        Nothing is refused here: what is wrong becomes an action that raises ScpiError when its
        turn comes, as an instrument runs the good commands that stand before a bad one.
        """
        actions = self._compiled.get(message)
        if actions is None:
            if len(self._compiled) >= _LARGEST_CACHE:
                self._compiled.clear()
            actions = self._compiled[message] = self._translate(message)
        return actions

    def _translate(self, message: bytes) -> tuple[Action[F], ...]:
        actions: list[Action[F]] = []
        path: list[str] = []
        for unit in _split(message.decode("latin-1"), ";"):
            header, _, rest = unit.strip().replace("\t", " ").partition(" ")
            if not header:
                continue  # a trailing semicolon, seen from PyMeasure
            words = header.upper().lstrip(":").split(":")
            if not (header.startswith(":") or words[0].startswith("*")):
                words = path + words  # SCPI-1999 6.2.4: the path of the unit before goes on
            if not words[-1].startswith("*"):
                path = words[:-1]
            actions.append(self._action(words, _arguments(rest)))
        return tuple(actions)

    def _action(self, words: list[str], arguments: Arguments) -> Action[F]:
        is_query = words[-1].endswith("?")
        words = [*words[:-1], words[-1].removesuffix("?")]
        try:
            node, suffixes = self._find(words)
            prepare = node.query if is_query else node.command
            if prepare is None:
                raise ScpiError(-113, ":".join(words))
            return prepare(arguments, suffixes)
        except ScpiError as error:
            return _refuse_with(error)

    def _find(self, words: list[str]) -> tuple[_Node[F], tuple[int, ...]]:
        node, suffixes = self._root, []
        for word in words:
            child = node.children.get(word)
            if child is None:
                name = word.rstrip("0123456789")
                child = node.children.get(name)
                if child is None or not child.numbered:
                    raise ScpiError(-113, ":".join(words))
                suffixes.append(int(word[len(name) :]))
            elif child.numbered:
                suffixes.append(1)
            node = child
        return node, tuple(suffixes)

    def _add(
        self,
        node: _Node[F],
        nodes: list[tuple[bool, str, bool]],
        prepare: Prepare[F],
        *,
        is_query: bool,
    ) -> None:
        if not nodes:
            if is_query:
                node.query = prepare
            else:
                node.command = prepare
            return
        (optional, name, numbered), rest = nodes[0], nodes[1:]
        child = node.children.get(name.upper()) or _Node()
        child.numbered = child.numbered or numbered
        node.children[name.upper()] = child
        node.children[short_form(name)] = child
        self._add(child, rest, prepare, is_query=is_query)
        if optional:
            self._add(node, rest, prepare, is_query=is_query)


def short_form(name: str) -> str:
    """Return the capitals (and digits) of a mnemonic: ``VOLT`` of ``VOLTage``."""
    return "".join(letter for letter in name if not letter.islower())


def _refuse_with(error: ScpiError) -> Action[F]:
    def refuse(_instrument: F) -> NoReturn:
        # A new one each time: raising the same one again would grow its traceback for ever.
        raise ScpiError(error.code, error.detail, kind=error.kind)

    return refuse


def _split(text: str, separator: str) -> list[str]:
    """Split at ``separator`` where it stands outside quotes."""
    parts, start, quote = [], 0, ""
    for position, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == separator:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return parts


def _arguments(text: str) -> Arguments:
    if not text.strip():
        return ()
    return tuple(_argument(part.strip()) for part in _split(text, ","))


def _argument(part: str) -> Argument:
    if len(part) >= 2 and part[0] in "\"'" and part[-1] == part[0]:
        return Argument(part[1:-1], quoted=True)
    return Argument(part, quoted=False)


def take(arguments: Arguments, least: int, most: int | None = None) -> Arguments:
    """Return ``arguments`` if there are ``least`` to ``most`` of them; raises -109 or -108."""
    most = least if most is None else most
    if len(arguments) < least:
        raise ScpiError(-109)
    if len(arguments) > most:
        raise ScpiError(-108)
    return arguments


def number(argument: Argument) -> float:
    """Read a plain decimal number; raises -224 for anything else, NaN and infinity included."""
    if argument.quoted or not _NUMBER.fullmatch(argument.text):
        raise ScpiError(-224, argument.text)
    value = float(argument.text)
    if not math.isfinite(value):
        raise ScpiError(-222, argument.text)
    return value


def integer(argument: Argument, lowest: int, highest: int) -> int:
    """Read a whole number within bounds; raises -224 or -222."""
    value = number(argument)
    if value != int(value):
        raise ScpiError(-224, argument.text)
    if not lowest <= value <= highest:
        raise ScpiError(-222, argument.text)
    return int(value)


def boolean(argument: Argument) -> bool:
    """Read ``ON|OFF|1|0``; raises -224."""
    try:
        return {"ON": True, "1": True, "OFF": False, "0": False}[argument.text.upper()]
    except KeyError:
        raise ScpiError(-224, argument.text) from None


def keyword(argument: Argument, choices: tuple[str, ...]) -> str:
    """Return the short form of the choice that ``argument`` spells, short or long; raises -224.

    >>> keyword(Argument("himp", quoted=False), ("NORMal", "HIMPedance"))
    'HIMP'
    """
    word = argument.text.upper()
    for choice in choices:
        if word in (short_form(choice), choice.upper()):
            return short_form(choice)
    raise ScpiError(-224, argument.text)


def string(argument: Argument) -> str:
    """Read a quoted string; raises -224 where the quotes are missing."""
    if not argument.quoted:
        raise ScpiError(-224, argument.text)
    return argument.text


class Event(NamedTuple):
    """One entry of the event log."""

    code: int
    message: str
    kind: int
    second: float


class EventQueue:
    """First in, first out; when full, the last entry becomes -350 and later ones are lost."""

    def __init__(self, capacity: int) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self._events)

    def add(self, error: ScpiError, second: float) -> None:
        """Log ``error`` at the instrument's time ``second``."""
        if len(self._events) >= self._capacity:
            self._events[-1] = Event(-350, _ERROR_TEXTS[-350], ERROR, second)
            return
        self._events.append(Event(error.code, str(error), error.kind, second))

    def pop(self) -> Event | None:
        """Take the oldest entry; None when there is none."""
        return self._events.popleft() if self._events else None

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
