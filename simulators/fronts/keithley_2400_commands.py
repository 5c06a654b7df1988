"""The 2400's commands as one table: pattern -> what it does.

Each row names its SCPI pattern as the manual writes it. Preparing reads the parameters once;
acting uses the meter and its stage. Knows no bytes and no time.

Left out, and refused as unknown headers: source sweeps and lists, source memory, limit tests,
statistics and mathematics, digital lines, display and beeper. Automatic ohms are refused as
settings conflict: resistance is voltage over current of the source as it is set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simulators.fronts import keithley_2400_measuring as measuring
from simulators.fronts import scpi_rows as rows
from simulators.fronts.keithley_2400_measuring import LONGEST_DELAY_SECOND, Table, told
from simulators.fronts.keithley_2400_meter import LegacySourceMeter
from simulators.fronts.keithley_2400_settings import SenseSettings, Settings, SourceSettings
from simulators.fronts.keithley_settings import Function, OffState
from simulators.fronts.scpi import (
    Action,
    Arguments,
    CommandTree,
    Prepare,
    ScpiError,
    keyword,
    string,
    take,
)
from simulators.fronts.scpi_front import COMMON

_WORDS = {
    Function.VOLTAGE: "VOLTage",
    Function.CURRENT: "CURRent",
    Function.RESISTANCE: "RESistance",
}
_FUNCTION_NAMES = {"VOLTAGE": "VOLT", "CURRENT": "CURR", "RESISTANCE": "RES"}
_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"
_NPLC = (0.01, 10.0)


def _put(name: str) -> Callable[[LegacySourceMeter, bool | int | str], None]:
    """Return what changes one setting that acts at the next reading."""
    return lambda meter, value: setattr(meter.stage.settings, name, value)


def _ask(text: Callable[[Settings], str]) -> Prepare[LegacySourceMeter]:
    return rows.ask(lambda meter: text(meter.stage.settings))


def _switch(pattern: str, name: str) -> Table:
    """A setting that is on or off."""
    return {
        pattern: rows.set_boolean(_put(name)),
        f"{pattern}?": _ask(lambda settings: str(int(getattr(settings, name)))),
    }


# -- system and status -----------------------------------------------------------------------------


def _next_error(meter: LegacySourceMeter) -> str:
    event = meter.log.pop()
    return meter.no_error if event is None else f'{event.code:+d},"{event.message}"'


def _preset_status(meter: LegacySourceMeter) -> None:
    meter.measurement_enable = 0


def _zero(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[LegacySourceMeter]:
    """``ON``, ``OFF`` or ``ONCE``, which measures the zero now and leaves it off."""
    word = keyword(take(arguments, 1)[0], ("ON", "OFF", "ONCE", "1", "0"))
    return lambda meter: setattr(meter.stage.settings, "auto_zero", word in ("ON", "1"))


_SYSTEM: Table = {
    **COMMON,
    "*CLS": rows.do(LegacySourceMeter.clear_status),
    "*STB?": rows.ask(lambda meter: str(meter.status_byte())),
    "*OPC": rows.do(LegacySourceMeter.complete_operation),
    "*OPC?": rows.do(lambda meter: meter.answer_when_idle(lambda: "1")),
    "*WAI": rows.do(LegacySourceMeter.wait),
    "SYSTem:ERRor[:NEXT]?": rows.ask(_next_error),
    "SYSTem:RSENse": rows.set_boolean(
        lambda meter, on: meter.rewire(partial(meter.stage.set_remote, on))
    ),
    "SYSTem:RSENse?": _ask(lambda settings: str(int(settings.remote))),
    "SYSTem:AZERo[:STATe]": _zero,
    "SYSTem:AZERo[:STATe]?": _ask(lambda settings: str(int(settings.auto_zero))),
    "SYSTem:LFRequency?": rows.ask(lambda meter: f"{meter.stage.line_hertz:.0f}"),
    "STATus:PRESet": rows.do(_preset_status),
    "STATus:MEASurement[:EVENt]?": rows.ask(lambda meter: str(meter.read_measurement_events())),
    "STATus:MEASurement:ENABle": rows.set_integer(
        0, 65_535, lambda meter, mask: setattr(meter, "measurement_enable", mask)
    ),
    "STATus:MEASurement:ENABle?": rows.ask(lambda meter: str(meter.measurement_enable)),
    "STATus:OPERation:CONDition?": rows.ask(lambda meter: str(meter.operation_condition())),
}


# -- output and source -----------------------------------------------------------------------------


def _set_delay(meter: LegacySourceMeter, seconds: float) -> None:
    settings = meter.stage.settings
    settings.delay_second = rows.within(seconds, 0.0, LONGEST_DELAY_SECOND)
    settings.auto_delay = False


_OUTPUT: Table = {
    "OUTPut[:STATe]": rows.set_boolean(LegacySourceMeter.switch_output),
    "OUTPut[:STATe]?": rows.ask(lambda meter: str(int(meter.stage.output_on))),
    "OUTPut:SMODe": rows.set_word(
        ("NORMal", "HIMPedance", "ZERO", "GUARd"),
        lambda meter, word: meter.stage.set_off_state(OffState(word), meter.now),
    ),
    "OUTPut:SMODe?": _ask(lambda settings: settings.off_state.value),
    "ROUTe:TERMinals": rows.set_word(
        ("FRONt", "REAR"),
        lambda meter, side: meter.rewire(partial(meter.stage.set_terminals, side)),
    ),
    "ROUTe:TERMinals?": _ask(lambda settings: settings.terminals),
    **_switch("SOURce#:CLEar:AUTO", "auto_off"),
    "SOURce#:FUNCtion[:MODE]": rows.set_word(
        ("VOLTage", "CURRent"),
        lambda meter, word: meter.stage.select_source(Function(word), meter.now),
    ),
    "SOURce#:FUNCtion[:MODE]?": _ask(lambda settings: settings.source.value),
    "SOURce#:DELay": rows.set_number(_set_delay),
    "SOURce#:DELay?": _ask(lambda settings: told(settings.delay_second)),
    **_switch("SOURce#:DELay:AUTO", "auto_delay"),
    "SOURce#:VOLTage:PROTection[:LEVel]": rows.set_number(
        lambda meter, volt: meter.stage.set_protection(volt, meter.now)
    ),
    "SOURce#:VOLTage:PROTection[:LEVel]?": _ask(lambda settings: told(settings.protection_volt)),
}


def _source_rows(function: Function) -> Table:
    head = f"SOURce#:{_WORDS[function]}"

    def ask(text: Callable[[SourceSettings], str]) -> Prepare[LegacySourceMeter]:
        return _ask(lambda settings: text(settings.sources[function]))

    return {
        f"{head}:MODE": rows.set_word(("FIXed",), lambda _meter, _word: None),
        f"{head}:MODE?": ask(lambda _source: "FIX"),
        f"{head}{_LEVEL}": rows.set_number(
            lambda meter, value: meter.stage.set_level(function, value, meter.now)
        ),
        f"{head}{_LEVEL}?": ask(lambda source: told(source.level)),
        f"{head}:RANGe": rows.set_number(
            lambda meter, value: meter.stage.set_source_range(function, value, meter.now)
        ),
        f"{head}:RANGe?": ask(lambda source: told(source.range)),
        f"{head}:RANGe:AUTO": rows.set_boolean(
            lambda meter, on: meter.stage.set_source_auto_range(function, on, meter.now)
        ),
        f"{head}:RANGe:AUTO?": ask(lambda source: str(int(source.auto_range))),
    }


# -- sense -----------------------------------------------------------------------------------------


def _functions(arguments: Arguments) -> tuple[Function, ...]:
    """Read ``"VOLT","CURR:DC"``, quotes required; raises -109 or -224."""
    names = [
        string(argument).upper().removesuffix(":DC")
        for argument in take(arguments, 1, len(arguments))
    ]
    shorts = [_FUNCTION_NAMES.get(name, name) for name in names]
    for short in shorts:
        if short not in _FUNCTION_NAMES.values():
            raise ScpiError(-224, short)
    return tuple(Function(short) for short in shorts)


def _measure_these(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[LegacySourceMeter]:
    """Concurrently, functions are added to those that are on; else the one takes their place."""
    functions = _functions(arguments)

    def measure(meter: LegacySourceMeter) -> None:
        settings = meter.stage.settings
        if not settings.concurrent and len(functions) > 1:
            raise ScpiError(-221, "concurrent measurement is off")
        settings.measured = {*functions, *(settings.measured if settings.concurrent else ())}

    return measure


def _measure_all(meter: LegacySourceMeter) -> None:
    if not meter.stage.settings.concurrent:
        raise ScpiError(-221, "concurrent measurement is off")
    meter.stage.settings.measured = set(Function)


def _omit_these(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[LegacySourceMeter]:
    functions = _functions(arguments)
    return lambda meter: meter.stage.settings.measured.difference_update(functions)


def _measured_names(settings: Settings) -> str:
    suffix = {Function.VOLTAGE: ":DC", Function.CURRENT: ":DC", Function.RESISTANCE: ""}
    return ",".join(f'"{one.value}{suffix[one]}"' for one in Function if one in settings.measured)


def _set_ohms_mode(_meter: LegacySourceMeter, word: str) -> None:
    if word == "AUTO":
        raise ScpiError(-221, "automatic ohms are not simulated")


def _set_nplc(meter: LegacySourceMeter, cycles: float) -> None:
    meter.stage.settings.nplc = rows.within(cycles, *_NPLC)


_SENSE: Table = {
    "SENSe#:FUNCtion[:ON]": _measure_these,
    "SENSe#:FUNCtion[:ON]?": _ask(_measured_names),
    "SENSe#:FUNCtion[:ON]:ALL": rows.do(_measure_all),
    "SENSe#:FUNCtion:OFF": _omit_these,
    **_switch("SENSe#:FUNCtion:CONCurrent", "concurrent"),
    "SENSe#:RESistance:MODE": rows.set_word(("MANual", "AUTO"), _set_ohms_mode),
    "SENSe#:RESistance:MODE?": rows.ask(lambda _meter: "MAN"),
    **_switch("SENSe#:AVERage[:STATe]", "filter_on"),
    "SENSe#:AVERage:COUNt": rows.set_integer(1, 100, _put("filter_count")),
    "SENSe#:AVERage:COUNt?": _ask(lambda settings: str(settings.filter_count)),
    "SENSe#:AVERage:TCONtrol": rows.set_word(("REPeat", "MOVing"), _put("filter_kind")),
    "SENSe#:AVERage:TCONtrol?": _ask(lambda settings: settings.filter_kind),
}


def _speed_rows(function: Function) -> Table:
    """One value for all functions, whichever of them it is set by."""
    dc = "" if function is Function.RESISTANCE else "[:DC]"
    pattern = f"SENSe#:{_WORDS[function]}{dc}:NPLCycles"
    return {
        pattern: rows.set_number(_set_nplc),
        f"{pattern}?": _ask(lambda settings: told(settings.nplc)),
    }


def _sense_rows(function: Function) -> Table:
    head = f"SENSe#:{_WORDS[function]}[:DC]"

    def ask(text: Callable[[SenseSettings], str]) -> Prepare[LegacySourceMeter]:
        return _ask(lambda settings: text(settings.senses[function]))

    return {
        f"{head}:RANGe[:UPPer]": rows.set_number(
            lambda meter, value: meter.stage.set_sense_range(function, value, meter.now)
        ),
        f"{head}:RANGe[:UPPer]?": ask(lambda sense: told(sense.range)),
        f"{head}:RANGe:AUTO": rows.set_boolean(
            lambda meter, on: meter.stage.set_sense_auto_range(function, on, meter.now)
        ),
        f"{head}:RANGe:AUTO?": ask(lambda sense: str(int(sense.auto_range))),
        f"{head}:PROTection[:LEVel]": rows.set_number(
            lambda meter, value: meter.stage.set_compliance(function, value, meter.now)
        ),
        f"{head}:PROTection[:LEVel]?": ask(lambda sense: told(sense.compliance)),
        f"{head}:PROTection:TRIPped?": rows.ask(
            lambda meter: str(int(meter.stage.in_compliance(function, meter.now)))
        ),
    }


TREE: CommandTree[LegacySourceMeter] = CommandTree(
    {
        **_SYSTEM,
        **_OUTPUT,
        **_source_rows(Function.VOLTAGE),
        **_source_rows(Function.CURRENT),
        **_SENSE,
        **_sense_rows(Function.VOLTAGE),
        **_sense_rows(Function.CURRENT),
        **_speed_rows(Function.VOLTAGE),
        **_speed_rows(Function.CURRENT),
        **_speed_rows(Function.RESISTANCE),
        **measuring.TABLE,
    }
)
