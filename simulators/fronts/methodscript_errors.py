"""Error codes of MethodSCRIPT as this simulator uses them; knows neither scripts nor cells.

Codes are those of the manual's appendix A where the sheet has one. Those marked [N] come from an
older manual and stand where the sheet knows no newer code for the case.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """What the device answers after the exclamation mark."""

    INVALID_TYPE = "0002"
    UNKNOWN_COMMAND = "0003"
    UNKNOWN_REGISTER = "0004"  # [N]
    WRONG_STATE = "0006"
    BAD_ARGUMENT = "0007"
    LINE_TOO_LONG = "0008"
    NO_SCRIPT = "000C"
    INVALID_TIME = "000D"  # [N]
    INVALID_POTENTIAL = "000F"
    NOT_A_NUMBER = "0010"
    INVALID_FREQUENCY = "0011"
    INVALID_AMPLITUDE = "0012"
    OCP_WITH_CELL_ON = "0014"
    NOT_SUPPORTED = "001B"
    UNKNOWN_MODE = "0021"
    INVALID_IN_MODE = "0023"
    DIVISION_BY_ZERO = "0028"
    CRITICAL_OVERLOAD = "0032"
    UNKNOWN_SCRIPT_COMMAND = "4001"
    BAD_SCRIPT_ARGUMENT = "4002"  # [N]
    ARGUMENT_OUT_OF_RANGE = "4003"  # [N]
    UNEXPECTED_CHARACTER = "4004"
    BAD_OPTION = "4008"
    NESTED_MEASUREMENT = "400B"
    NOT_HERE = "400C"
    UNEXPECTED_END = "4018"
    PACKAGE_SEQUENCE = "401B"
    DECLARED_TWICE = "4026"
    NEEDS_CELL_ON = "4027"
    NEEDS_CELL_OFF = "4028"
    NEEDS_ONE_STEP = "4029"
    BAD_NAME = "402B"
    EXTRA_ARGUMENT = "420A"
    UNDECLARED = "420B"


class ScriptError(Exception):
    """A running script fails: the stream gets ``!XXXX: Line L`` and ends."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


class LoadError(Exception):
    """A script is refused while it is being received; line and column count from 1."""

    def __init__(self, code: Code, line: int, column: int) -> None:
        self.code = code
        self.where = f": Line {line}, Col {column}"
        super().__init__(code.value + self.where)
