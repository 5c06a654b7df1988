"""MethodSCRIPT text to a flat program: syntax, names and blocks; knows no instrument and no time.

Lines are checked one by one while they are received, as the device does; comment lines count.
Blocks become jumps, so that running a program needs no recursion and an abort is a jump, too.

What the sheet leaves open and is chosen here: any length of a name is taken, all six comparisons
exist, a type is any two lower-case letters, a missing argument is 4002, a block keyword without
its block is 400C. ``eis_tdd`` is refused (4008): the sheet does not say what its arguments mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.fronts.methodscript_commands import MEASUREMENT_LOOPS, OPTIONS, SIGNATURES, Kind
from simulators.fronts.methodscript_errors import Code, LoadError

LONGEST_LINE = 256  # of the two limits in the sheet (128, 256) the one that refuses less
_LARGEST_INTEGER = 2**31 - 1
_EXPONENTS = dict(zip("afpnum kMGTPE", range(-18, 21, 3), strict=True))
_TOKEN = re.compile(r'(f?"[^"]*"|[a-z_]+\([^)]*\)|[^\s#]+)|#.*')
_NUMBER = re.compile(r"(-?)(0x[0-9A-Fa-f]+|0b[01]+|\d+)([afpnumkMGTPEi]?)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HOLE = re.compile(r"\{([^}]*)\}")
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


@dataclass(frozen=True, slots=True)
class Literal:
    """A number in the text; integers (suffix ``i``, hex, binary) stay ``int``."""

    value: float | int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or an array."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What ``send_string`` prints; names stand for their values."""

    parts: tuple[str | Name, ...]


Argument = Literal | Name | Text | str


@dataclass(frozen=True, slots=True)
class Command:
    """One step of the flat program; ``line`` counts from 1, as the device does."""

    line: int
    name: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A loaded script.

    ``targets[i]`` is where command ``i`` jumps to (-1: it does not), ``finished_at`` the first
    command after ``on_finished:``. ``arrays`` maps names to lengths.
    """

    commands: tuple[Command, ...]
    targets: tuple[int, ...]
    finished_at: int
    variables: frozenset[str]
    arrays: dict[str, int]


@dataclass(slots=True)
class _Block:
    """An open block: where it starts, which jumps still need to know its end."""

    kind: str  # "loop", "measurement" or "if"
    start: int
    false_branch: int | None = None
    to_end: list[int] = field(default_factory=list)


class Parser:
    """Takes a script line by line; raises LoadError at the first thing that is wrong."""

    def __init__(self) -> None:
        self._line = 0
        self._column = 1
        self._commands: list[Command] = []
        self._targets: list[int] = []
        self._finished_at: int | None = None
        self._blocks: list[_Block] = []
        self._variables: set[str] = set()
        self._arrays: dict[str, int] = {}
        self._special: dict[str, Callable[[tuple[Argument, ...]], object]] = {
            "var": self._declare,
            "array": self._declare,
            "loop": self._loop,
            "endloop": self._endloop,
            "breakloop": self._breakloop,
            "if": self._if,
            "elseif": self._elseif,
            "else": self._else,
            "endif": self._endif,
            "on_finished:": self._on_finished,
            "meas": self._meas,
        }

    def feed(self, text: str) -> None:
        """Check and take one line, without its line feed."""
        self._line += 1
        self._column = len(text) + 1
        if len(text) > LONGEST_LINE:
            raise self._error(Code.LINE_TOO_LONG)
        tokens = [(m[1], m.start() + 1) for m in _TOKEN.finditer(text) if m[1] is not None]
        if not tokens:
            return
        word, self._column = tokens[0]
        if word not in SIGNATURES:
            raise self._error(Code.UNKNOWN_SCRIPT_COMMAND)
        arguments = self._arguments(word, tokens[1:], len(text) + 1)
        self._column = tokens[0][1]
        if word in MEASUREMENT_LOOPS:
            self._measurement(word, arguments)
        elif word in self._special:
            self._special[word](arguments)
        else:
            self._append(word, arguments)

    def finish(self) -> Program:
        """Return the program once the empty line has come."""
        self._line += 1
        self._column = 1
        if self._blocks:
            raise self._error(Code.UNEXPECTED_END)
        return Program(
            tuple(self._commands),
            tuple(self._targets),
            len(self._commands) if self._finished_at is None else self._finished_at,
            frozenset(self._variables),
            dict(self._arrays),
        )

    def _error(self, code: Code, offset: int = 0) -> LoadError:
        return LoadError(code, self._line, self._column + offset)

    # Arguments

    def _arguments(
        self, word: str, tokens: list[tuple[str, int]], end_column: int
    ) -> tuple[Argument, ...]:
        kinds = SIGNATURES[word]
        arguments: list[Argument] = []
        for kind, (token, column) in zip(kinds, tokens, strict=False):
            self._column = column
            arguments.append(self._argument(kind, token))
        if len(tokens) < len(kinds):
            self._column = end_column
            raise self._error(Code.BAD_SCRIPT_ARGUMENT)
        for count, (token, column) in enumerate(tokens[len(kinds) :]):
            self._column = column
            arguments.append(self._option(word, token, count))
        return tuple(arguments)

    def _option(self, word: str, token: str, count: int) -> Argument:
        option, parenthesis, inside = token.partition("(")
        if not parenthesis:
            raise self._error(Code.EXTRA_ARGUMENT)
        if count or option != OPTIONS.get(word):
            raise self._error(Code.BAD_OPTION)
        self._column += len(option) + 1
        return self._operand(inside.removesuffix(")").strip())

    def _argument(self, kind: Kind, token: str) -> Argument:
        match kind:
            case Kind.IN:
                return self._operand(token)
            case Kind.OUT:
                return self._declared(token, self._variables)
            case Kind.ARRAY:
                return self._declared(token, self._arrays)
            case Kind.TEXT:
                return self._text(token)
            case Kind.NEW:
                if not _NAME.fullmatch(token):
                    raise self._error(Code.BAD_NAME)
                return Name(token)
            case Kind.TYPE:
                if not re.fullmatch("[a-z]{2}", token):
                    raise self._error(Code.INVALID_TYPE)
                return token
            case Kind.COMPARISON:
                if token not in _COMPARISONS:
                    raise self._error(Code.UNEXPECTED_CHARACTER)
                return token

    def _declared(self, token: str, known: set[str] | dict[str, int]) -> Name:
        if token not in known:
            raise self._error(Code.UNDECLARED)
        return Name(token)

    def _operand(self, token: str) -> Literal | Name:
        if _NAME.fullmatch(token):
            return self._declared(token, self._variables)
        number = _NUMBER.match(token)
        if number is None or number.end() < len(token):
            raise self._error(Code.UNEXPECTED_CHARACTER, number.end() if number else 0)
        return Literal(self._number(*number.groups()))

    def _number(self, sign: str, digits: str, suffix: str) -> float | int:
        magnitude = int(digits, 0) if digits[:2] in ("0x", "0b") else int(digits)
        if magnitude > _LARGEST_INTEGER:
            raise self._error(Code.ARGUMENT_OUT_OF_RANGE)
        value = -magnitude if sign else magnitude
        if suffix == "i" or (digits[:2] in ("0x", "0b") and not suffix):
            return value
        exponent = _EXPONENTS[suffix or " "]
        # A division keeps 100m the float nearest to 0.1; a product with 1e-3 would not.
        return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent

    def _text(self, token: str) -> Text:
        template = token.removeprefix("f")
        if len(template) < 2 or template[0] != '"' or template[-1] != '"':
            raise self._error(Code.UNEXPECTED_CHARACTER)
        if token[0] != "f":
            return Text((template[1:-1],))
        pieces = _HOLE.split(template[1:-1])  # every second piece is a name
        return Text(
            tuple(
                self._declared(piece, self._variables) if index % 2 else piece
                for index, piece in enumerate(pieces)
            )
        )

    # Commands and blocks

    def _append(self, name: str, arguments: tuple[Argument, ...] = (), target: int = -1) -> int:
        self._commands.append(Command(self._line, name, arguments))
        self._targets.append(target)
        return len(self._commands) - 1

    def _declare(self, arguments: tuple[Argument, ...]) -> None:
        name, *length = arguments
        assert isinstance(name, Name)
        if name.text in self._variables or name.text in self._arrays:
            raise self._error(Code.DECLARED_TWICE)
        if not length:
            self._variables.add(name.text)
        elif isinstance(length[0], Literal) and length[0].value >= 1:
            self._arrays[name.text] = int(length[0].value)
        else:
            raise self._error(Code.BAD_SCRIPT_ARGUMENT)

    def _meas(self, arguments: tuple[Argument, ...]) -> None:
        # The value belongs to the end of the averaging time, so waiting is a step of its own.
        self._append("wait", arguments[:1])
        self._append("meas", arguments[1:])

    def _loop(self, condition: tuple[Argument, ...]) -> None:
        self._blocks.append(_Block("loop", self._append("loop")))
        self._append("test", condition)

    def _measurement(self, word: str, arguments: tuple[Argument, ...]) -> None:
        if any(block.kind == "measurement" for block in self._blocks):
            raise self._error(Code.NESTED_MEASUREMENT)
        self._blocks.append(_Block("measurement", self._append(word, arguments)))
        self._append("point")

    def _endloop(self, _: tuple[Argument, ...]) -> None:
        block = self._innermost("loop", "measurement")
        name = "endloop" if block.kind == "loop" else "next_point"
        self._append(name, target=block.start + 1)
        self._targets[block.start] = len(self._commands)
        self._blocks.pop()

    def _breakloop(self, _: tuple[Argument, ...]) -> None:
        if all(block.kind == "if" for block in self._blocks):
            raise self._error(Code.NOT_HERE)
        self._append("breakloop")

    def _if(self, condition: tuple[Argument, ...]) -> None:
        start = self._append("if", condition)
        self._blocks.append(_Block("if", start, false_branch=start))

    def _elseif(self, condition: tuple[Argument, ...]) -> None:
        block = self._else(())
        block.false_branch = self._append("if", condition)

    def _else(self, _: tuple[Argument, ...]) -> _Block:
        block = self._innermost("if")
        if block.false_branch is None:
            raise self._error(Code.NOT_HERE)
        block.to_end.append(self._append("jump"))
        self._targets[block.false_branch] = len(self._commands)
        block.false_branch = None
        return block

    def _endif(self, _: tuple[Argument, ...]) -> None:
        block = self._innermost("if")
        if block.false_branch is not None:
            block.to_end.append(block.false_branch)
        for index in block.to_end:
            self._targets[index] = len(self._commands)
        self._blocks.pop()

    def _on_finished(self, _: tuple[Argument, ...]) -> None:
        if self._blocks or self._finished_at is not None:
            raise self._error(Code.NOT_HERE)
        self._finished_at = len(self._commands)

    def _innermost(self, *kinds: str) -> _Block:
        if not self._blocks or self._blocks[-1].kind not in kinds:
            raise self._error(Code.NOT_HERE)
        return self._blocks[-1]
