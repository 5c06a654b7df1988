"""The commands of an R&S NGU401 and NGM202 as one table per model: pattern -> what it does.

Left out, and refused as unknown headers: FastLog, logging, arbitrary sequences, battery emulation,
statistics, constant resistance, power protection. ``FLOG 0``, part of the sheet's safe stop, is
taken, as FastLog never runs.

Simulator's choices: a range out of bounds, a positive negative-side current (the sheet asks for
that one) and a voltage and current above the ratings are -222; currents are told to the nanoampere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from simulators.fronts import scpi_rows as rows
from simulators.fronts.rohde_schwarz_ng_output import OVERFLOW, Condition, Output, Priority
from simulators.fronts.rohde_schwarz_ng_supply import Supply
from simulators.fronts.scpi import (
    Action,
    Argument,
    Arguments,
    CommandTree,
    Prepare,
    ScpiError,
    keyword,
    number,
    take,
)
from simulators.fronts.scpi_front import COMMON

_NPLC = (0.01, 10.0)
_LONGEST_FUSE_SECOND = 10.0
_WITH_UNIT = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*([munk]?)(?:V|A|S)", re.IGNORECASE)
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "k": 1e3}
_STEP = "[:LEVel][:IMMediate]"
_LEVEL = f"{_STEP}[:AMPLitude]"


# -- parameters ------------------------------------------------------------------------------------


def _amount(argument: Argument) -> float:
    """Read a number with or without a unit: ``100mV``, ``0.1``."""
    match = None if argument.quoted else _WITH_UNIT.fullmatch(argument.text)
    if match is None:
        return number(argument)
    return number(Argument(match[1], quoted=False)) * _PREFIXES[match[2].lower()]


def _set_amount(name: str) -> Prepare[Supply]:
    """A command with an amount, ``MIN`` or ``MAX``."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Supply]:
        argument = take(arguments, 1)[0]
        word = argument.text.upper()
        if word in ("MIN", "MAX"):
            return lambda supply: supply.output.set_amount(
                name, supply.output.bounds(name)[word == "MAX"], supply.now
            )
        value = _amount(argument)
        return lambda supply: supply.output.set_amount(name, value, supply.now)

    return prepare


def _ask_amount(name: str) -> Prepare[Supply]:
    """A query of an amount, of its ``MIN`` or ``MAX``, or of another output's: ``(@2)``."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Supply]:
        word = arguments[0].text.upper() if arguments else ""
        if word in ("MIN", "MAX"):
            return lambda supply: _told(supply.output.bounds(name)[word == "MAX"])
        find = _output_finder(arguments)
        return lambda supply: _told(getattr(find(supply).settings, name))

    return prepare


def _output_finder(arguments: Arguments) -> Callable[[Supply], Output]:
    if not arguments:
        return lambda supply: supply.output
    channels = rows.channel_list(arguments)
    if len(channels) != 1:
        raise ScpiError(-222, "one channel")
    return lambda supply: supply.output_of(channels[0])


def _told(value: float) -> str:
    return f"{value:.6f}"


def _volt(voltage: float, _current: float) -> str:
    return _told(voltage)


def _ampere(_voltage: float, current: float) -> str:
    return "9.9E37" if abs(current) == OVERFLOW else f"{current:.9f}"


def _both(voltage: float, current: float) -> str:
    return f"{_volt(voltage, current)},{_ampere(voltage, current)}"


def _watt(voltage: float, current: float) -> str:
    return "9.9E37" if abs(current) == OVERFLOW else f"{voltage * current:.9f}"


def _read(answer: Callable[[float, float], str]) -> Prepare[Supply]:
    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Supply]:
        find = _output_finder(arguments)
        return lambda supply: supply.read(answer, find(supply))

    return prepare


# -- switches --------------------------------------------------------------------------------------


def _switch(name: str) -> Prepare[Supply]:
    """A command that turns one setting on or off, which acts at once."""

    def put(supply: Supply, on: bool) -> None:
        setattr(supply.settings, name, on)
        supply.output.act(supply.now)

    return rows.set_boolean(put)


def _flag(name: str) -> Prepare[Supply]:
    return rows.ask(lambda supply: str(int(getattr(supply.settings, name))))


def _kept(pattern: str) -> dict[str, Prepare[Supply]]:
    def keep(supply: Supply, on: bool) -> None:
        supply.settings.kept[pattern] = on

    return {
        pattern: rows.set_boolean(keep),
        f"{pattern}?": rows.ask(lambda supply: str(int(supply.settings.kept.get(pattern, False)))),
    }


def _protection(head: str, setting: str, bit: int) -> dict[str, Prepare[Supply]]:
    return {
        f"{head}[:STATe]": _switch(setting),
        f"{head}[:STATe]?": _flag(setting),
        f"{head}:TRIPped?": rows.ask(lambda supply: str(int(supply.output.tripped(bit)))),
    }


def _set_priority(supply: Supply, word: str) -> None:
    supply.settings.priority = Priority(word)
    supply.output.act(supply.now)


def _set_mode(supply: Supply, word: str) -> None:
    supply.settings.mode = word
    supply.output.act(supply.now)


def _set_sense(supply: Supply, word: str) -> None:
    supply.settings.external_sense = word == "EXT"
    supply.output.act(supply.now)


def _set_auto_range(supply: Supply, on: bool) -> None:
    output = supply.output
    output.settings.range_ampere = None if on else output.ratings.current_ranges_ampere[-1]


def _set_fuse_delay(supply: Supply, seconds: float) -> None:
    supply.settings.fuse_second = rows.within(seconds, 0.0, _LONGEST_FUSE_SECOND)


def _fuse_delay(pattern: str) -> dict[str, Prepare[Supply]]:
    return {
        pattern: rows.set_number(_set_fuse_delay),
        f"{pattern}?": rows.ask(lambda supply: _told(supply.settings.fuse_second)),
    }


def _set_nplc(supply: Supply, cycles: float) -> None:
    supply.settings.nplc = rows.within(cycles, *_NPLC)


def _apply(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Supply]:
    volt, ampere = (_amount(argument) for argument in take(arguments, 2))

    def apply(supply: Supply) -> None:
        supply.output.set_amount("volt", volt, supply.now)
        supply.output.set_amount("ampere", ampere, supply.now)

    return apply


def _choose_by_name(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Supply]:
    word = keyword(take(arguments, 1)[0], ("OUT1", "OUT2", "OUTP1", "OUTP2"))
    return lambda supply: supply.choose(int(word[-1]))


def _condition(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[Supply]:
    take(arguments, 0)
    return lambda supply: str(supply.output_of(suffixes[-1]).condition(supply.now))


def _stop_fast_log(supply: Supply, on: bool) -> None:
    if on:
        raise ScpiError(-200, "FastLog is not simulated")


def _set_safety_volt(supply: Supply, volt: float, *, low: bool) -> None:
    lowest, highest = supply.settings.limit_volt
    supply.settings.limit_volt = (volt, highest) if low else (lowest, volt)


def _set_safety_ampere(supply: Supply, ampere: float) -> None:
    supply.settings.limit_ampere = ampere


def _clear(bit: int) -> Prepare[Supply]:
    return rows.do(lambda supply: supply.output.clear_trip(bit))


def _reset_energy(supply: Supply) -> None:
    supply.output.energy_watt_hour = 0.0


# -- tables ----------------------------------------------------------------------------------------

_ALL: dict[str, Prepare[Supply]] = {
    "*OPT?": rows.ask(lambda _supply: "0"),
    "SYSTem:REMote": rows.do(lambda _supply: None),
    "SYSTem:RWLock": rows.do(lambda _supply: None),
    "SYSTem:LOCal": rows.do(lambda _supply: None),
    "INSTrument:NSELect": rows.set_integer(1, 4, lambda supply, number: supply.choose(number)),
    "INSTrument:NSELect?": rows.ask(lambda supply: str(supply.chosen)),
    "INSTrument[:SELect]": _choose_by_name,
    f"[SOURce]:VOLTage{_LEVEL}": _set_amount("volt"),
    f"[SOURce]:VOLTage{_LEVEL}?": _ask_amount("volt"),
    f"[SOURce]:CURRent{_LEVEL}": _set_amount("ampere"),
    f"[SOURce]:CURRent{_LEVEL}?": _ask_amount("ampere"),
    "APPLy": _apply,
    "OUTPut:MODE": rows.set_word(("AUTO", "SINK", "SOURce"), _set_mode),
    "OUTPut:MODE?": rows.ask(lambda supply: supply.settings.mode),
    **_kept("OUTPut:FTResponse"),
    **_kept("SENSe:VOLTage:RANGe:AUTO"),
    "[SOURce]:VOLTage:SENSe[:SOURce]": rows.set_word(("AUTO", "EXTernal"), _set_sense),
    "[SOURce]:VOLTage:SENSe[:SOURce]?": rows.ask(
        lambda supply: "EXT" if supply.settings.external_sense else "AUTO"
    ),
    **_protection("[SOURce]:VOLTage:PROTection", "protection_on", Condition.OVERVOLTAGE),
    "[SOURce]:VOLTage:PROTection:LEVel": _set_amount("protection_volt"),
    "[SOURce]:VOLTage:PROTection:LEVel?": _ask_amount("protection_volt"),
    "[SOURce]:VOLTage:PROTection:CLEar": _clear(Condition.OVERVOLTAGE),
    **_protection("[SOURce]:CURRent:PROTection", "fuse_on", Condition.FUSE),
    "[SOURce]:CURRent:PROTection:CLEar": _clear(Condition.FUSE),
    **_protection("FUSE", "fuse_on", Condition.FUSE),
    "FUSE:TRIPped:CLEar": _clear(Condition.FUSE),
    **_fuse_delay("[SOURce]:CURRent:PROTection:DELay:INITial"),
    **_fuse_delay("FUSE:DELay:INITial"),
    "[SOURce]:ALIMit[:STATe]": _switch("limits_on"),
    "[SOURce]:ALIMit[:STATe]?": _flag("limits_on"),
    f"[SOURce]:VOLTage{_STEP}:ALIMit[:UPPer]": rows.set_number(
        lambda supply, volt: _set_safety_volt(supply, volt, low=False)
    ),
    f"[SOURce]:VOLTage{_STEP}:ALIMit[:UPPer]?": rows.ask(
        lambda supply: _told(supply.settings.limit_volt[1])
    ),
    f"[SOURce]:VOLTage{_STEP}:ALIMit:LOWer": rows.set_number(
        lambda supply, volt: _set_safety_volt(supply, volt, low=True)
    ),
    f"[SOURce]:VOLTage{_STEP}:ALIMit:LOWer?": rows.ask(
        lambda supply: _told(supply.settings.limit_volt[0])
    ),
    f"[SOURce]:CURRent{_STEP}:ALIMit[:UPPer]": rows.set_number(_set_safety_ampere),
    f"[SOURce]:CURRent{_STEP}:ALIMit[:UPPer]?": rows.ask(
        lambda supply: _told(supply.settings.limit_ampere)
    ),
    "MEASure[:SCALar]:VOLTage[:DC]?": _read(_volt),
    "MEASure[:SCALar]:CURRent[:DC]?": _read(_ampere),
    "MEASure[:SCALar]:POWer?": _read(_watt),
    "MEASure[:SCALar]:ENERgy?": rows.ask(lambda supply: _told(supply.output.energy_watt_hour)),
    "MEASure[:SCALar]:ENERgy:STATe": _switch("energy_on"),
    "MEASure[:SCALar]:ENERgy:STATe?": _flag("energy_on"),
    "MEASure[:SCALar]:ENERgy:RESet": rows.do(_reset_energy),
    "SENSe:CURRent:RANGe[:UPPer]": rows.set_number(
        lambda supply, ampere: supply.output.set_range(ampere)
    ),
    "SENSe:CURRent:RANGe[:UPPer]?": rows.ask(
        lambda supply: _told(supply.output.range_ampere(supply.now))
    ),
    "SENSe:CURRent:RANGe:AUTO": rows.set_boolean(_set_auto_range),
    "SENSe:CURRent:RANGe:AUTO?": rows.ask(
        lambda supply: str(int(supply.settings.range_ampere is None))
    ),
    "STATus:QUEStionable:INSTrument:ISUMmary#:CONDition?": _condition,
    "FLOG[:STATe]": rows.set_boolean(_stop_fast_log),
}
_SOURCE_METER: dict[str, Prepare[Supply]] = {
    "OUTPut[:STATe]": rows.set_boolean(lambda supply, on: supply.switch(on)),
    "OUTPut[:STATe]?": rows.ask(lambda supply: str(int(supply.output.on))),
    "[SOURce]:PRIority": rows.set_word(("VOLTage", "CURRent"), _set_priority),
    "[SOURce]:PRIority?": rows.ask(lambda supply: supply.settings.priority.value),
    f"[SOURce]:VOLTage:NEGative{_LEVEL}": _set_amount("volt_negative"),
    f"[SOURce]:VOLTage:NEGative{_LEVEL}?": _ask_amount("volt_negative"),
    f"[SOURce]:CURRent:NEGative{_LEVEL}": _set_amount("ampere_negative"),
    f"[SOURce]:CURRent:NEGative{_LEVEL}?": _ask_amount("ampere_negative"),
    "SENSe:NPLCycles": rows.set_number(_set_nplc),
    "SENSe:NPLCycles?": rows.ask(lambda supply: _told(supply.settings.nplc)),
    "READ?": _read(_both),
}
_TWO_OUTPUTS: dict[str, Prepare[Supply]] = {
    "OUTPut:SELect": rows.set_boolean(lambda supply, on: supply.select(on)),
    "OUTPut:SELect?": rows.ask(lambda supply: str(int(supply.output.selected))),
    "OUTPut:GENeral[:STATe]": rows.set_boolean(lambda supply, on: supply.switch_master(on)),
    "OUTPut:GENeral[:STATe]?": rows.ask(lambda supply: str(int(supply.master_on))),
}
TREES: dict[str, CommandTree[Supply]] = {
    "NGU401": CommandTree({**COMMON, **_ALL, **_SOURCE_METER}),
    "NGM202": CommandTree({**COMMON, **_ALL, **_TWO_OUTPUTS}),
}
