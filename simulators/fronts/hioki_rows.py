"""The command table that all Hioki battery meters share, and row makers for their own settings.

Knows no bytes and no measurement. Simulator's choices where the sheet is silent: settings have
queries, which answer words in full and in capitals, with header ON behind the header in full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from simulators.fronts import scpi_rows as rows
from simulators.fronts.hioki_meter import TRIGGERS, HiokiMeter
from simulators.fronts.scpi import (
    Action,
    Argument,
    Arguments,
    Prepare,
    ScpiError,
    keyword,
    short_form,
    take,
)

M = TypeVar("M", bound=HiokiMeter)
Rows = dict[str, Prepare[M]]


def common_rows(kind: type[M]) -> Rows[M]:
    """Return the commands that all families have, for meters of ``kind``."""
    return {
        "*IDN?": rows.ask(lambda meter: meter.identity),
        "*RST": rows.do(lambda meter: meter.reset()),
        "*TST?": rows.ask(lambda _meter: "0"),
        "*CLS": rows.do(lambda meter: meter.clear_status()),
        "*ESR?": rows.ask(lambda meter: str(meter.take_event_status())),
        "*STB?": rows.ask(lambda meter: str(meter.status_byte())),
        **_mask("*ESE", "event_enable"),
        **_mask("*SRE", "service_enable"),
        **_only_register_0(
            {
                "ESR#?": rows.ask(lambda meter: str(meter.take_measured_status())),
                **_mask("ESE#", "measured_enable"),
            }
        ),
        "*TRG": rows.do(lambda meter: meter.trigger()),
        "*WAI": rows.do(lambda meter: meter.wait()),
        "READ?": rows.do(lambda meter: meter.read()),  # answers when it has measured
        "FETCh?": rows.ask(lambda meter: meter.fetch()),
        "INITiate": rows.do(lambda meter: meter.initiate()),
        **setting(
            "INITiate:CONTinuous",
            rows.set_boolean(lambda meter, on: meter.set_continuous(on)),
            lambda meter: "ON" if meter.continuous else "OFF",
        ),
        **word("TRIGger:SOURce", "trigger_source", TRIGGERS),
        **setting(
            "SYSTem:HEADer",
            rows.set_boolean(lambda meter, on: setattr(meter, "header", on)),
            lambda meter: "ON" if meter.header else "OFF",
        ),
        "SYSTem:RESet": rows.do(lambda meter: meter.reset()),
        "SYSTem:LOCal": rows.do(lambda meter: meter.go_local()),
    }


def setting(pattern: str, change: Prepare[M], text: Callable[[M], str]) -> Rows[M]:
    """Return a command and its query, which answers with the header in front when that is on."""
    header = f":{pattern.upper().replace('#', '0')} "

    def answer(meter: M) -> str:
        return header + text(meter) if meter.header else text(meter)

    return {pattern: change, f"{pattern}?": rows.ask(answer)}


def word(pattern: str, attribute: str, words: tuple[str, ...]) -> Rows[M]:
    """Return the rows of a condition that is one of ``words``, kept in capitals and in full."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[M]:
        value = full_word(take(arguments, 1)[0], words)
        return lambda meter: _change(meter, attribute, value)

    return setting(pattern, prepare, lambda meter: str(getattr(meter, attribute)))


def switch(pattern: str, attribute: str) -> Rows[M]:
    """Return the rows of a condition that is ON or OFF, kept as a bool."""
    return setting(
        pattern,
        rows.set_boolean(lambda meter, on: _change(meter, attribute, on)),
        lambda meter: "ON" if getattr(meter, attribute) else "OFF",
    )


def full_word(argument: Argument, words: tuple[str, ...]) -> str:
    """Return the word that ``argument`` spells, short or long, in capitals and in full."""
    short = keyword(argument, words)
    return next(word.upper() for word in words if short_form(word) == short)


def _change(meter: HiokiMeter, attribute: str, value: object) -> None:
    setattr(meter, attribute, value)
    meter.changed()


def _mask(pattern: str, attribute: str) -> Rows[M]:
    """Return the rows of an enable register of eight bits."""
    return setting(
        pattern,
        rows.set_integer(0, 255, lambda meter, mask: setattr(meter, attribute, mask)),
        lambda meter: str(getattr(meter, attribute)),
    )


def _only_register_0(table: Rows[M]) -> Rows[M]:
    """Return the rows of registers whose number is part of their name: there is number 0 only."""
    return {pattern: _register_0(prepare) for pattern, prepare in table.items()}


def _register_0(prepare: Prepare[M]) -> Prepare[M]:
    """Return the row of a register whose number is part of its name; there is number 0 only."""

    def prepare_0(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[M]:
        if suffixes != (0,):
            raise ScpiError(-113)
        return prepare(arguments, suffixes)

    return prepare_0
