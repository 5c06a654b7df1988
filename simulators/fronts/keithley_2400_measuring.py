"""The 2400's commands for readings, buffer and triggers; the rest is in keithley_2400_commands.py.

Knows no bytes and no time. Trigger link lines are kept and told, nothing is wired to them.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.fronts import scpi_rows as rows
from simulators.fronts.keithley_2400_meter import ELEMENTS, LegacySourceMeter
from simulators.fronts.keithley_2400_trigger import MOST_READINGS, TriggerSettings
from simulators.fronts.keithley_settings import Function
from simulators.fronts.scpi import Action, Arguments, Prepare, ScpiError, keyword, take

Table = dict[str, Prepare[LegacySourceMeter]]

LONGEST_DELAY_SECOND = 999.9999
_TIMER_SECOND = (0.001, 99_999.99)
_ELEMENT_NAMES = ("VOLTage", "CURRent", "RESistance", "TIME", "STATus")


def told(value: float) -> str:
    """Return a setting as queries answer it."""
    return f"{value:.6E}"


# -- readings --------------------------------------------------------------------------------------


def _choose_elements(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[LegacySourceMeter]:
    chosen = tuple(
        keyword(argument, _ELEMENT_NAMES) for argument in take(arguments, 1, len(ELEMENTS))
    )
    return lambda meter: setattr(meter, "elements", chosen)


def _measure_rows(tail: str, functions: set[Function]) -> Table:
    """CONF and MEAS? of some functions: both switch the output ON."""

    def measure(meter: LegacySourceMeter) -> None:
        meter.configure(functions or meter.stage.settings.measured)
        meter.read()

    return {
        f"MEASure{tail}?": rows.do(measure),
        f"CONFigure{tail}": rows.do(
            lambda meter: meter.configure(functions or meter.stage.settings.measured)
        ),
    }


_READING: Table = {
    "FORMat[:DATA]": rows.set_word(("ASCii",), lambda _meter, _word: None),
    "FORMat[:DATA]?": rows.ask(lambda _meter: "ASC"),
    "FORMat:ELEMents[:SENSe#]": _choose_elements,
    "FORMat:ELEMents[:SENSe#]?": rows.ask(
        lambda meter: ",".join(name for name in ELEMENTS if name in meter.elements)
    ),
    "READ?": rows.do(LegacySourceMeter.read),
    "FETCh?": rows.do(LegacySourceMeter.fetch),
    "INITiate[:IMMediate]": rows.do(LegacySourceMeter.initiate),
    "ABORt": rows.do(LegacySourceMeter.abort),
    "*TRG": rows.do(LegacySourceMeter.bus_trigger),
    **_measure_rows("", set()),
    **_measure_rows(":VOLTage[:DC]", {Function.VOLTAGE}),
    **_measure_rows(":CURRent[:DC]", {Function.CURRENT}),
    **_measure_rows(":RESistance", {Function.RESISTANCE}),
}


def _feed(meter: LegacySourceMeter, _word: str) -> None:
    meter.trace.check_idle()


def _control(meter: LegacySourceMeter, word: str) -> None:
    if word == "NEXT":
        meter.trace.begin()
    else:
        meter.trace.storing = False


_TRACE: Table = {
    "TRACe:FEED": rows.set_word(("SENSe",), _feed),
    "TRACe:FEED?": rows.ask(lambda _meter: "SENS"),
    "TRACe:FEED:CONTrol": rows.set_word(("NEXT", "NEVer"), _control),
    "TRACe:FEED:CONTrol?": rows.ask(lambda meter: "NEXT" if meter.trace.storing else "NEV"),
    "TRACe:CLEar": rows.do(lambda meter: meter.trace.readings.clear()),
    "TRACe:POINts": rows.set_integer(
        1, MOST_READINGS, lambda meter, points: meter.trace.resize(points)
    ),
    "TRACe:POINts?": rows.ask(lambda meter: str(meter.trace.capacity)),
    "TRACe:POINts:ACTual?": rows.ask(lambda meter: str(len(meter.trace.readings))),
    "TRACe:DATA?": rows.ask(lambda meter: meter.write(meter.trace.all())),
}


# -- arm and trigger layers ------------------------------------------------------------------------


def _ask_trigger(text: Callable[[TriggerSettings], str]) -> Prepare[LegacySourceMeter]:
    return rows.ask(lambda meter: text(meter.trigger))


def _count(pattern: str, name: str, of_other_layer: str) -> Table:
    def set_count(meter: LegacySourceMeter, count: int) -> None:
        readings = count * int(getattr(meter.trigger, of_other_layer))
        if readings > MOST_READINGS:
            raise ScpiError(-222, f"{readings} readings")
        setattr(meter.trigger, name, count)

    return {
        pattern: rows.set_integer(1, MOST_READINGS, set_count),
        f"{pattern}?": _ask_trigger(lambda trigger: str(getattr(trigger, name))),
    }


def _seconds(pattern: str, name: str, lowest: float, highest: float) -> Table:
    def set_seconds(meter: LegacySourceMeter, seconds: float) -> None:
        setattr(meter.trigger, name, rows.within(seconds, lowest, highest))

    return {
        pattern: rows.set_number(set_seconds),
        f"{pattern}?": _ask_trigger(lambda trigger: told(getattr(trigger, name))),
    }


def _source(pattern: str, name: str, choices: tuple[str, ...]) -> Table:
    def set_source(meter: LegacySourceMeter, word: str) -> None:
        setattr(meter.trigger, name, word)

    return {
        pattern: rows.set_word(choices, set_source),
        f"{pattern}?": _ask_trigger(lambda trigger: str(getattr(trigger, name))),
    }


def _line_rows(layer: str, outputs: tuple[str, ...]) -> Table:
    def keep(name: str) -> Callable[[LegacySourceMeter, int | str], None]:
        return lambda meter, value: meter.trigger.kept.update({name: str(value)})

    def tell(name: str, default: str) -> Prepare[LegacySourceMeter]:
        return _ask_trigger(lambda trigger: trigger.kept.get(name, default))

    return {
        f"{layer}:OUTPut": rows.set_word(outputs, keep(f"{layer} output")),
        f"{layer}:OUTPut?": tell(f"{layer} output", "NONE"),
        f"{layer}:ILINe": rows.set_integer(1, 4, keep(f"{layer} input")),
        f"{layer}:ILINe?": tell(f"{layer} input", "1"),
        f"{layer}:OLINe": rows.set_integer(1, 4, keep(f"{layer} line")),
        f"{layer}:OLINe?": tell(f"{layer} line", "2"),
    }


_TRIGGER: Table = {
    **_count("ARM:COUNt", "arm_count", "trigger_count"),
    **_count("TRIGger:COUNt", "trigger_count", "arm_count"),
    **_source("ARM:SOURce", "arm_source", ("IMMediate", "TIMer", "MANual", "BUS", "TLINk")),
    **_source("TRIGger:SOURce", "trigger_source", ("IMMediate", "TLINk")),
    **_seconds("ARM:TIMer", "timer_second", *_TIMER_SECOND),
    **_seconds("TRIGger:DELay", "delay_second", 0.0, LONGEST_DELAY_SECOND),
    "TRIGger:CLEar": rows.do(lambda _meter: None),  # no event is ever kept for later
    **_line_rows("ARM", ("TENTer", "TEXit", "NONE")),
    **_line_rows("TRIGger", ("SOURce", "DELay", "SENSe", "NONE")),
}

TABLE: Table = {**_READING, **_TRACE, **_TRIGGER}
