"""A Keysight E4980A or E4980AL LCR meter on its wire: its commands as one table.

The instrument stands in keysight_e4980a_bridge.py. Left out, and refused as unknown: binary data,
the level monitors, the buffer memory, the comparator, measuring corrections. Correction switches
are kept and told; there are no leads to correct for.

Simulator's choices: a query that waits for data is dropped with -410 when another one comes, and a
trigger that nothing waits for is -211.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rig.core.errors import BadInput, Problem
from simulators.fronts import scpi_rows as rows
from simulators.fronts.keysight_e4980a_bridge import Bridge
from simulators.fronts.keysight_e4980a_quantities import (
    FUNCTIONS,
    VOLTAGE_AND_CURRENT,
    write_number,
)
from simulators.fronts.keysight_e4980a_settings import Ratings, Settings
from simulators.fronts.scpi import (
    Action,
    Arguments,
    CommandTree,
    Prepare,
    integer,
    keyword,
    number,
    take,
)
from simulators.fronts.scpi_front import COMMON, ScpiFront
from simulators.interfaces import Cell

# The AL is sold with 300 kHz, 500 kHz or 1 MHz ([V]); this is the smallest.
HIGHEST_HERTZ = {"E4980A": 2e6, "E4980AL": 300e3}
_LONGEST_DELAY_SECOND = 999.0  # [V]
_REGISTERS = 10

Table = dict[str, Prepare[Bridge]]


def _put(name: str) -> Callable[[Bridge, Any], None]:
    """Return what changes one setting and begins to measure anew."""
    return lambda bridge, value: bridge.change(replace(bridge.settings, **{name: value}))


def _flag(name: str) -> Prepare[Bridge]:
    return rows.ask(lambda bridge: str(int(getattr(bridge.settings, name))))


def _amount(value: Callable[[Settings], float]) -> Prepare[Bridge]:
    return rows.ask(lambda bridge: _told(value(bridge.settings)))


def _told(value: float) -> str:
    return write_number(value, long=False)


# -- what is measured ------------------------------------------------------------------------------


def _aperture(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Bridge]:
    take(arguments, 1, 2)
    speed = keyword(arguments[0], ("SHORt", "MEDium", "LONG"))
    averages = integer(arguments[1], 1, 256) if len(arguments) > 1 else 1
    return lambda bridge: bridge.change(replace(bridge.settings, speed=speed, averages=averages))


def _list(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Bridge]:
    frequencies = tuple(number(argument) for argument in take(arguments, 1, len(arguments)))
    return lambda bridge: bridge.set_list(frequencies)


def _isolate(bridge: Bridge, on: bool) -> None:
    bridge.need_option_001()
    bridge.change(replace(bridge.settings, isolation=on))


def _delay(bridge: Bridge, seconds: float) -> None:
    rows.within(seconds, 0.0, _LONGEST_DELAY_SECOND)
    bridge.change(replace(bridge.settings, delay_second=seconds))


_MEASURING: Table = {
    "*OPT?": rows.ask(lambda bridge: "001" if bridge.ratings.option_001 else "0"),
    "*SAV": rows.set_integer(0, _REGISTERS - 1, lambda bridge, place: bridge.save(place)),
    "*RCL": rows.set_integer(0, _REGISTERS - 1, lambda bridge, place: bridge.recall(place)),
    "FUNCtion:IMPedance[:TYPE]": rows.set_word(
        (*FUNCTIONS, VOLTAGE_AND_CURRENT), lambda bridge, word: bridge.select_function(word)
    ),
    "FUNCtion:IMPedance[:TYPE]?": rows.ask(lambda bridge: bridge.settings.function),
    "FUNCtion:IMPedance:RANGe[:VALue]": rows.set_number(lambda bridge, ohm: bridge.set_range(ohm)),
    "FUNCtion:IMPedance:RANGe[:VALue]?": _amount(lambda settings: settings.range_ohm),
    "FUNCtion:IMPedance:RANGe:AUTO": rows.set_boolean(_put("auto_range")),
    "FUNCtion:IMPedance:RANGe:AUTO?": _flag("auto_range"),
    "FREQuency[:CW]": rows.set_number(lambda bridge, hertz: bridge.set_frequency(hertz)),
    "FREQuency[:CW]?": _amount(lambda settings: settings.frequency_hertz),
    "VOLTage[:LEVel]": rows.set_number(
        lambda bridge, volt: bridge.set_level(volt, in_current=False)
    ),
    "VOLTage[:LEVel]?": rows.ask(lambda bridge: _told(bridge.level(in_current=False))),
    "CURRent[:LEVel]": rows.set_number(
        lambda bridge, ampere: bridge.set_level(ampere, in_current=True)
    ),
    "CURRent[:LEVel]?": rows.ask(lambda bridge: _told(bridge.level(in_current=True))),
    "AMPLitude:ALC": rows.set_boolean(_put("level_control")),
    "AMPLitude:ALC?": _flag("level_control"),
    "APERture": _aperture,
    "APERture?": rows.ask(lambda bridge: f"{bridge.settings.speed},{bridge.settings.averages:+d}"),
    "BIAS:VOLTage[:LEVel]": rows.set_number(lambda bridge, volt: bridge.set_bias(volt)),
    "BIAS:VOLTage[:LEVel]?": _amount(lambda settings: settings.bias_volt),
    "BIAS:STATe": rows.set_boolean(lambda bridge, on: bridge.switch_bias(on)),
    "BIAS:STATe?": _flag("bias_on"),
    "OUTPut:DC:ISOLation[:STATe]": rows.set_boolean(_isolate),
    "OUTPut:DC:ISOLation[:STATe]?": _flag("isolation"),
    "DISPlay:PAGE": rows.set_word(
        ("MEASurement", "LIST"), lambda bridge, word: _put("list_page")(bridge, word == "LIST")
    ),
    "LIST:MODE": rows.set_word(("SEQuence",), lambda _bridge, _word: None),
    "LIST:FREQuency": _list,
    "LIST:FREQuency?": rows.ask(
        lambda bridge: ",".join(_told(hertz) for hertz in bridge.settings.list_hertz)
    ),
}


# -- trigger and data ------------------------------------------------------------------------------


def _trigger_and_fetch(bridge: Bridge) -> str | None:
    bridge.trigger()
    return bridge.fetch(impedance_only=False)


def _fetch(*, impedance_only: bool) -> Prepare[Bridge]:
    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Bridge]:
        take(arguments, 0)
        return lambda bridge: bridge.fetch(impedance_only=impedance_only)

    return prepare


def _trigger_now(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Bridge]:
    take(arguments, 0)
    return _trigger_and_fetch


_TRIGGER: Table = {
    "TRIGger:SOURce": rows.set_word(("HOLD", "INTernal", "BUS", "EXTernal"), _put("trigger")),
    "TRIGger:SOURce?": rows.ask(lambda bridge: bridge.settings.trigger),
    "TRIGger[:IMMediate]": rows.do(lambda bridge: bridge.trigger()),
    "TRIGger:DELay": rows.set_number(_delay),
    "TRIGger:DELay?": _amount(lambda settings: settings.delay_second),
    "*TRG": _trigger_now,
    "INITiate[:IMMediate]": rows.do(lambda bridge: bridge.initiate()),
    "INITiate:CONTinuous": rows.set_boolean(lambda bridge, on: bridge.initiate_continuously(on)),
    "INITiate:CONTinuous?": rows.ask(lambda bridge: str(int(bridge.continuous))),
    "ABORt": rows.do(lambda bridge: bridge.abort()),
    "FETCh[:IMPedance][:FORMatted]?": _fetch(impedance_only=False),
    "FETCh[:IMPedance]:CORRected?": _fetch(impedance_only=True),
    "FORMat[:DATA]": rows.set_word(("ASCii",), lambda _bridge, _word: None),
    "FORMat[:DATA]?": rows.ask(lambda _bridge: "ASC"),
    "FORMat:ASCii:LONG": rows.set_boolean(lambda bridge, on: setattr(bridge.format, "long", on)),
    "FORMat:ASCii:LONG?": rows.ask(lambda bridge: str(int(bridge.format.long))),
}


# -- switches that are kept and told ---------------------------------------------------------------


def _keep(pattern: str) -> Table:
    def keep(bridge: Bridge, on: bool) -> None:
        bridge.format.kept[pattern] = str(int(on))

    return {
        pattern: rows.set_boolean(keep),
        f"{pattern}?": rows.ask(lambda bridge: bridge.format.kept.get(pattern, "0")),
    }


_KEPT: Table = {
    **_keep("CORRection:OPEN:STATe"),
    **_keep("CORRection:SHORt:STATe"),
    **_keep("BIAS:RANGe:AUTO"),
}
_TREE: CommandTree[Bridge] = CommandTree({**COMMON, **_MEASURING, **_TRIGGER, **_KEPT})


class KeysightE4980AFront(ScpiFront[Bridge]):
    """The LCR meter as a Front. ``dc_blocked``: capacitors stand between it and the cell.

    Without them a charged cell is discharged through the meter from the moment it is switched on.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        model: str = "E4980A",
        option_001: bool = True,
        dc_blocked: bool = False,
        noise: bool = True,
        serial: str = "MY46516036",
        firmware: str = "A.02.10",
    ) -> None:
        if model not in HIGHEST_HERTZ:
            message = f"got model {model!r}, expected {' or '.join(HIGHEST_HERTZ)}"
            raise BadInput(Problem(name, message, example="model: E4980A"))
        identity = f"Keysight Technologies,{model},{serial},{firmware}"
        ratings = Ratings(HIGHEST_HERTZ[model], option_001)
        bridge = Bridge(
            name, cell, identity, ratings, seed=seed, noise=noise, dc_blocked=dc_blocked
        )
        super().__init__(bridge, _TREE)
