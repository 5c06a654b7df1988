"""The PalmSens models as tables: windows, ranges, limits. Knows no script and no cell.

Source: the sheet's model table (manual, appendix B) and range index tables. Minimum frequencies
are not known there, so none is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem, did_you_mean

LOW_SPEED, HIGH_SPEED, MAX_RANGE, GALVANOSTAT = 2, 3, 4, 6


@dataclass(frozen=True, slots=True)
class Range:
    """One measuring range: its index on the wire and its nominal full scale in ampere or volt."""

    index: int
    nominal: float


@dataclass(frozen=True, slots=True)
class Window:
    """Potentials that a PGStat mode can hold; ``span_volt`` is what one script may use of them."""

    low_volt: float
    high_volt: float
    span_volt: float = float("inf")


@dataclass(frozen=True, slots=True)
class Model:
    """What one model can do; ``windows`` holds the PGStat modes it knows besides 0 (off).

    ``multichannel``: it may have more channels than one; how many is not in the sheet.
    """

    type_code: str
    windows: Mapping[int, Window]
    current_ampere: float
    frequency_hertz: float
    amplitude_volt: float
    current_ranges: tuple[Range, ...]
    high_speed_ranges: tuple[Range, ...]
    galvanostat_ranges: tuple[Range, ...]
    potential_ranges: tuple[Range, ...]
    xon_at_power_up: bool = False
    multichannel: bool = False


def _ranges(table: Mapping[int, float]) -> tuple[Range, ...]:
    ranges = (Range(index, nominal) for index, nominal in table.items())
    return tuple(sorted(ranges, key=lambda one: one.nominal))


def _symmetric(volt: float) -> dict[int, Window]:
    return {mode: Window(-volt, volt) for mode in (LOW_SPEED, HIGH_SPEED, GALVANOSTAT)}


_EMSTAT4_SHARED = {9: 1e-7, 12: 1e-6, 15: 1e-5, 18: 1e-4, 21: 1e-3, 24: 1e-2}
_EMSTAT4_LR = _ranges({3: 1e-9, 6: 1e-8, **_EMSTAT4_SHARED})
_EMSTAT4_HR = _ranges({3: 1e-9, **_EMSTAT4_SHARED, 27: 1e-1})
_EMSTAT4_POTENTIAL = _ranges({2: 0.05, 3: 0.1, 4: 0.2, 5: 0.5, 6: 1.0})
_PICO = _ranges(
    {0: 1e-7, 1: 2e-6, 2: 4e-6, 3: 8e-6, 4: 16e-6, 5: 32e-6, 6: 63e-6}
    | {7: 125e-6, 8: 250e-6, 9: 500e-6, 10: 1e-3, 11: 5e-3}
)
_PICO_HIGH_SPEED = _ranges(
    {128: 1e-7, 129: 1e-6, 130: 6e-6, 131: 13e-6, 132: 25e-6, 133: 50e-6}
    | {134: 1e-4, 135: 2e-4, 136: 1e-3, 137: 5e-3}
)
# The sheet also lists 1 mA and 10 mA "(tia)" ranges (6, 7; galvanostat 38, 39) without saying
# when the device takes them; this simulator always takes the plain ones of the same size.
_NEXUS = _ranges(
    {16: 1e-10, 0: 1e-9, 1: 1e-8, 2: 1e-7, 3: 1e-6, 4: 1e-5, 5: 1e-4}
    | {8: 1e-3, 9: 1e-2, 10: 1e-1, 11: 1.0}
)
_NEXUS_GALVANOSTAT = _ranges(
    {32: 1e-9, 33: 1e-8, 34: 1e-7, 35: 1e-6, 36: 1e-5, 37: 1e-4}
    | {40: 1e-3, 41: 1e-2, 42: 1e-1, 43: 1.0}
)


def _pico(type_code: str) -> Model:
    return Model(
        type_code,
        windows={
            LOW_SPEED: Window(-1.25, 2.0, 2.2),
            HIGH_SPEED: Window(-1.7, 2.0, 1.214),
            MAX_RANGE: Window(-1.7, 2.0, 2.6),
        },
        current_ampere=3e-3,
        frequency_hertz=200e3,
        amplitude_volt=0.429,
        current_ranges=_PICO,
        high_speed_ranges=_PICO_HIGH_SPEED,
        galvanostat_ranges=(),
        # The sheet has no potential ranges of the Pico; a single one stands for "not switched".
        potential_ranges=(Range(0, 2.0),),
        xon_at_power_up=True,
    )


def _emstat4(
    type_code: str,
    volt: float,
    ampere: float,
    ranges: tuple[Range, ...],
    multichannel: bool = False,
) -> Model:
    return Model(
        type_code,
        windows=_symmetric(volt),
        current_ampere=ampere,
        frequency_hertz=200e3,
        amplitude_volt=0.9,
        current_ranges=ranges,
        high_speed_ranges=ranges,
        galvanostat_ranges=ranges,
        potential_ranges=_EMSTAT4_POTENTIAL,
        multichannel=multichannel,
    )


_NEXUS_1 = Model(
    "nexus1",
    windows=_symmetric(10.0),
    current_ampere=1.0,
    frequency_hertz=1e6,
    amplitude_volt=0.3,
    current_ranges=_NEXUS,
    high_speed_ranges=_NEXUS,
    galvanostat_ranges=_NEXUS_GALVANOSTAT,
    potential_ranges=_ranges({0: 1.0, 1: 0.1, 2: 0.01, 3: 0.001}),
)

MODELS: dict[str, Model] = {
    model.type_code: model
    for model in (
        _pico("espico"),
        _pico("senswb"),
        _emstat4("es4_lr", 3.0, 0.030, _EMSTAT4_LR),
        _emstat4("es4_hr", 6.0, 0.200, _EMSTAT4_HR),
        _emstat4("mes4lr", 3.0, 0.030, _EMSTAT4_LR, multichannel=True),
        _emstat4("mes4hr", 6.0, 0.200, _EMSTAT4_HR, multichannel=True),
        _NEXUS_1,
    )
}


def model_named(type_code: str) -> Model:
    """Return the model whose ``t`` reply begins with ``type_code``; BadInput when there is none."""
    if type_code not in MODELS:
        raise BadInput(
            Problem(
                "MethodSCRIPT simulator",
                f"got model {type_code!r}, expected one of {', '.join(MODELS)}",
                example="nexus1",
                suggestion=did_you_mean(type_code, MODELS),
            )
        )
    return MODELS[type_code]
