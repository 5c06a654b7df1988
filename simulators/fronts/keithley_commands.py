"""The 2450's commands as one table: pattern -> what it does.

Each row names its SCPI pattern as the manual writes it. Preparing reads the parameters once;
acting uses the meter and its stage. Knows no bytes and no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from simulators.fronts import keithley_measuring as measuring
from simulators.fronts import scpi_rows as rows
from simulators.fronts.keithley_buffers import date_at
from simulators.fronts.keithley_meter import SourceMeter
from simulators.fronts.keithley_settings import (
    RANGES,
    Function,
    OffState,
    SenseSettings,
    SourceSettings,
    range_for,
)
from simulators.fronts.scpi import (
    Action,
    Arguments,
    CommandTree,
    Prepare,
    ScpiError,
    integer,
    string,
    take,
)

_MNEMONICS = {
    Function.VOLTAGE: "VOLTage[:DC]",
    Function.CURRENT: "CURRent[:DC]",
    Function.RESISTANCE: "RESistance",
}
_PROTECTIONS = (2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180)
_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"


# -- common commands and the system ----------------------------------------------------------------


Table = dict[str, Prepare[SourceMeter]]


def _reset(meter: SourceMeter) -> None:
    meter.stage.reset(meter.now)
    meter.reset_measuring()


def _clear_status(meter: SourceMeter) -> None:
    meter.log.clear()
    meter.event_status = 0


def _read_event_status(meter: SourceMeter) -> str:
    status, meter.event_status = meter.event_status, 0
    return str(status)


def _status_byte(meter: SourceMeter) -> str:
    """Bit 2 error available, bit 5 event summary, bit 6 request, as in IEEE 488.2 and SCPI."""
    status = 4 if len(meter.log) else 0
    if meter.event_status & meter.event_enable:
        status |= 32
    if status & meter.service_enable:
        status |= 64
    return str(status)


def _next_error(meter: SourceMeter) -> str:
    event = meter.log.pop()
    if event is None:
        return '0,"No error;0;0 0"'
    stamp = f"{date_at(event.second):%Y/%m/%d %H:%M:%S.%f}"[:-3]
    return f'{event.code},"{event.message};{event.kind};{stamp}"'


def _set_register(name: str) -> Prepare[SourceMeter]:
    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        value = integer(take(arguments, 1)[0], 0, 255)
        return lambda meter: setattr(meter, name, value)

    return prepare


_SYSTEM: Table = {
    "*IDN?": rows.ask(lambda meter: meter.identity),
    "*LANG?": rows.ask(lambda meter: meter.language),
    "*LANG": rows.set_word(
        ("SCPI", "TSP", "SCPI2400"), lambda meter, word: setattr(meter, "next_language", word)
    ),
    "*RST": rows.do(_reset),
    "*CLS": rows.do(_clear_status),
    "*ESR?": rows.ask(_read_event_status),
    "*ESE": _set_register("event_enable"),
    "*ESE?": rows.ask(lambda meter: str(meter.event_enable)),
    "*SRE": _set_register("service_enable"),
    "*SRE?": rows.ask(lambda meter: str(meter.service_enable)),
    "*STB?": rows.ask(_status_byte),
    "*OPC": rows.do(lambda meter: meter.complete_operation()),
    "*OPC?": rows.ask(lambda _front: "1"),
    "*WAI": rows.do(lambda meter: meter.wait_for_loop()),
    "SYSTem:ERRor[:NEXT]?": rows.ask(_next_error),
    "SYSTem:CLEar": rows.do(lambda meter: meter.log.clear()),
    "SYSTem:LFRequency?": rows.ask(lambda meter: f"{meter.stage.line_hertz:.0f}"),
    "STATus:PRESet": rows.do(lambda meter: setattr(meter, "event_enable", 0)),
}


# -- output and source -----------------------------------------------------------------------------


def _switch(meter: SourceMeter, on: bool) -> None:
    meter.spend(meter.stage.switch_output(on, meter.now))


def _switch_terminals(meter: SourceMeter, side: str) -> None:
    if side != meter.stage.settings.terminals:
        meter.stage.settings.terminals = side
        meter.stage.switch_off(meter.now)


_OFF_STATES = ("NORMal", "HIMPedance", "ZERO", "GUARd")


def _set_off_states(meter: SourceMeter, word: str, functions: tuple[Function, ...]) -> None:
    for function in functions:
        meter.stage.set_off_state(function, OffState(word), meter.now)


_BOTH = (Function.VOLTAGE, Function.CURRENT)

_OUTPUT: Table = {
    "OUTPut[:STATe]": rows.set_boolean(_switch),
    "OUTPut[:STATe]?": rows.ask(lambda meter: str(int(meter.stage.output_on))),
    "OUTPut:SMODe": rows.set_word(_OFF_STATES, partial(_set_off_states, functions=_BOTH)),
    "OUTPut:SMODe?": rows.ask(lambda meter: meter.stage.active.off_state.value),
    "OUTPut:INTerlock:TRIPped?": rows.ask(lambda meter: str(int(meter.stage.interlock_closed))),
    "ROUTe:TERMinals": rows.set_word(("FRONt", "REAR"), _switch_terminals),
    "ROUTe:TERMinals?": rows.ask(lambda meter: meter.stage.settings.terminals),
    "SOURce#:FUNCtion[:MODE]": rows.set_word(
        ("VOLTage", "CURRent"),
        lambda meter, word: meter.stage.select_source(Function(word), meter.now),
    ),
    "SOURce#:FUNCtion[:MODE]?": rows.ask(lambda meter: meter.stage.settings.source.value),
}


def _source_rows(function: Function) -> Table:
    word = "VOLTage" if function is Function.VOLTAGE else "CURRent"
    limit = "ILIMit" if function is Function.VOLTAGE else "VLIMit"
    head = f"SOURce#:{word}"

    def source(meter: SourceMeter) -> SourceSettings:
        return meter.stage.settings.sources[function]

    def ask(text: Callable[[SourceSettings], str]) -> Prepare[SourceMeter]:
        return rows.ask(lambda meter: text(source(meter)))

    def ask_number(value: Callable[[SourceSettings], float]) -> Prepare[SourceMeter]:
        return rows.ask(lambda meter: meter.number_format % value(source(meter)))

    def set_delay(meter: SourceMeter, seconds: float) -> None:
        source(meter).delay_second = rows.within(seconds, 0.0, 10_000.0)
        source(meter).auto_delay = False

    return {
        f"{head}{_LEVEL}": rows.set_number(
            lambda meter, value: meter.stage.set_level(function, value, meter.now)
        ),
        f"{head}{_LEVEL}?": ask_number(lambda source: source.level),
        f"{head}:RANGe": rows.set_number(
            lambda meter, value: meter.stage.set_source_range(function, value, meter.now)
        ),
        f"{head}:RANGe?": ask_number(lambda source: source.range),
        f"{head}:RANGe:AUTO": rows.set_boolean(
            lambda meter, on: meter.stage.set_source_auto_range(function, on)
        ),
        f"{head}:RANGe:AUTO?": ask(lambda source: str(int(source.auto_range))),
        f"{head}:{limit}[:LEVel]": rows.set_number(
            lambda meter, value: meter.stage.set_limit(function, value, meter.now)
        ),
        f"{head}:{limit}[:LEVel]?": ask_number(lambda source: source.limit),
        f"{head}:{limit}[:LEVel]:TRIPped?": rows.ask(
            lambda meter: str(int(meter.stage.limit_trips(function, meter.now)))
        ),
        f"{head}:READ:BACK": rows.set_boolean(
            lambda meter, on: setattr(source(meter), "readback", on)
        ),
        f"{head}:READ:BACK?": ask(lambda source: str(int(source.readback))),
        f"{head}:DELay": rows.set_number(set_delay),
        f"{head}:DELay?": ask_number(lambda source: source.delay_second),
        f"{head}:DELay:AUTO": rows.set_boolean(
            lambda meter, on: setattr(source(meter), "auto_delay", on)
        ),
        f"{head}:DELay:AUTO?": ask(lambda source: str(int(source.auto_delay))),
        f"OUTPut:{word}:SMODe": rows.set_word(
            _OFF_STATES, partial(_set_off_states, functions=(function,))
        ),
        f"OUTPut:{word}:SMODe?": ask(lambda source: source.off_state.value),
    }


def _protection_volt(word: str) -> float:
    return math.inf if word == "NONE" else float(word.removeprefix("PROT"))


def _protection_word(meter: SourceMeter) -> str:
    volt = meter.stage.settings.protection_volt
    return "NONE" if volt == math.inf else f"PROT{volt:.0f}"


_PROTECTION: Table = {
    "SOURce#:VOLTage:PROTection[:LEVel]": rows.set_word(
        ("NONE", *(f"PROT{volt}" for volt in _PROTECTIONS)),
        lambda meter, word: meter.stage.set_protection(_protection_volt(word), meter.now),
    ),
    "SOURce#:VOLTage:PROTection[:LEVel]?": rows.ask(_protection_word),
    "SOURce#:VOLTage:PROTection[:LEVel]:TRIPped?": rows.ask(
        lambda meter: str(int(meter.stage.protection_trips(meter.now)))
    ),
}


# -- sense -----------------------------------------------------------------------------------------

_SENSE_NAMES = {"VOLT": "VOLT:DC", "CURR": "CURR:DC", "RES": "RES"}


def _prepare_sense_function(
    arguments: Arguments, _suffixes: tuple[int, ...]
) -> Action[SourceMeter]:
    text = string(take(arguments, 1)[0]).upper().removesuffix(":DC")
    names = {"VOLTAGE": "VOLT", "CURRENT": "CURR", "RESISTANCE": "RES"}
    short = names.get(text, text)
    if short not in _SENSE_NAMES:
        raise ScpiError(-224, text)
    return lambda meter: setattr(meter.stage.settings, "sense", Function(short))


def _sense_rows(function: Function) -> Table:
    head = f"SENSe#:{_MNEMONICS[function]}"

    def sense(meter: SourceMeter) -> SenseSettings:
        return meter.stage.settings.senses[function]

    def put(name: str) -> Callable[[SourceMeter, bool | str], None]:
        return lambda meter, value: setattr(sense(meter), name, value)

    def put_within(
        name: str, lowest: float, highest: float
    ) -> Callable[[SourceMeter, float], None]:
        return lambda meter, value: setattr(sense(meter), name, rows.within(value, lowest, highest))

    def flag(name: str) -> Prepare[SourceMeter]:
        return rows.ask(lambda meter: str(int(getattr(sense(meter), name))))

    def amount(name: str) -> Prepare[SourceMeter]:
        return rows.ask(lambda meter: meter.number_format % getattr(sense(meter), name))

    ranges = RANGES[function]
    return {
        f"{head}:RANGe[:UPPer]": rows.set_number(
            lambda meter, value: meter.stage.set_sense_range(function, value)
        ),
        f"{head}:RANGe[:UPPer]?": amount("range"),
        f"{head}:RANGe:AUTO": rows.set_boolean(put("auto_range")),
        f"{head}:RANGe:AUTO?": flag("auto_range"),
        f"{head}:RANGe:AUTO:LLIMit": rows.set_number(
            lambda meter, value: setattr(sense(meter), "lowest_range", range_for(ranges, value))
        ),
        f"{head}:RANGe:AUTO:LLIMit?": amount("lowest_range"),
        f"{head}:NPLCycles": rows.set_number(put_within("nplc", 0.01, 10.0)),
        f"{head}:NPLCycles?": amount("nplc"),
        f"{head}:AZERo[:STATe]": rows.set_boolean(put("auto_zero")),
        f"{head}:AZERo[:STATe]?": flag("auto_zero"),
        f"{head}:RSENse": rows.set_boolean(
            lambda meter, on: meter.stage.set_remote_sense(function, on, meter.now)
        ),
        f"{head}:RSENse?": flag("remote"),
        f"{head}:AVERage[:STATe]": rows.set_boolean(put("filter_on")),
        f"{head}:AVERage[:STATe]?": flag("filter_on"),
        f"{head}:AVERage:COUNt": rows.set_integer(
            1, 100, lambda meter, count: setattr(sense(meter), "filter_count", count)
        ),
        f"{head}:AVERage:COUNt?": rows.ask(lambda meter: str(sense(meter).filter_count)),
        f"{head}:AVERage:TCONtrol": rows.set_word(("REPeat", "MOVing"), put("filter_kind")),
        f"{head}:AVERage:TCONtrol?": rows.ask(lambda meter: sense(meter).filter_kind),
    }


_SENSE: Table = {
    "SENSe#:FUNCtion[:ON]": _prepare_sense_function,
    "SENSe#:FUNCtion[:ON]?": rows.ask(
        lambda meter: f'"{_SENSE_NAMES[meter.stage.settings.sense.value]}"'
    ),
    "SENSe#:AZERo:ONCE": rows.do(lambda meter: meter.spend(meter.stage.reading_seconds())),
    "SENSe#:COUNt": rows.set_integer(
        1, 300_000, lambda meter, count: setattr(meter.stage.settings, "count", count)
    ),
    "SENSe#:COUNt?": rows.ask(lambda meter: str(meter.stage.settings.count)),
}

TREE: CommandTree[SourceMeter] = CommandTree(
    {
        **_SYSTEM,
        **_OUTPUT,
        **_source_rows(Function.VOLTAGE),
        **_source_rows(Function.CURRENT),
        **_PROTECTION,
        **_SENSE,
        **_sense_rows(Function.VOLTAGE),
        **_sense_rows(Function.CURRENT),
        **_sense_rows(Function.RESISTANCE),
        **measuring.TABLE,
    }
)
