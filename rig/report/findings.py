"""What a report shows of a run: facts, traces, fits and quantities. Frozen; knows no database.

``rig.bench.evaluation`` fills these from a run's record; the figures and the page only read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from rig.analysis.arrhenius_result import ArrheniusResult
from rig.analysis.cycles import CycleTable
from rig.analysis.fade import FadeResult
from rig.analysis.flags import FlagNote
from rig.analysis.impedance_fit import CircuitFit
from rig.analysis.interface import InterfaceSeries
from rig.analysis.spectrum import Spectrum

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A result: value, standard error, unit; the truth beside it where cells are simulated.

    ``degrees_of_freedom`` None means that the error is known (normal interval), else Student t.
    """

    key: str  # as in the fits' JSON, with the unit
    title: str
    value: float
    standard_error: float
    unit: str
    degrees_of_freedom: float | None = None
    truth: float | None = None
    flags: tuple[FlagNote, ...] = ()

    def interval(self, coverage: float) -> tuple[float, float]:
        """Return the symmetric interval that holds the truth with this probability."""
        probability = 0.5 + coverage / 2.0
        freedom = self.degrees_of_freedom
        factor = ndtri(probability) if freedom is None else stdtrit(freedom, probability)
        half = float(factor) * self.standard_error
        return self.value - half, self.value + half

    @property
    def recovered(self) -> bool | None:
        """Say whether the truth lies in the 99 % interval; None where nobody knows the truth."""
        if self.truth is None:
            return None
        low, high = self.interval(0.99)
        return low <= self.truth <= high

    def to_dict(self) -> dict[str, object]:
        return {
            "key": self.key,
            "title": self.title,
            "value": self.value,
            "standard_error": self.standard_error,
            "unit": self.unit,
            "interval_95": list(self.interval(0.95)),
            "interval_99": list(self.interval(0.99)),
            "truth": self.truth,
            "recovered": self.recovered,
            "flags": [note.to_dict() for note in self.flags],
        }


@dataclass(frozen=True, slots=True)
class Traces:
    """Voltage, current and what is around a cell over test time, thinned so that no extreme is lost.

    The last two are empty where no sensor was beside the cell.
    """

    test_time_second: Array
    voltage_volt: Array
    current_ampere: Array
    ambient_temperature_celsius: Array
    surface_temperature_celsius: Array = field(default_factory=lambda: np.empty(0))
    applied_pressure_pa: Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class SpectrumFinding:
    """One spectrum with its fit, or with the reason why there is none.

    ``temperature_celsius`` is the sample's own where a sensor read it, else the chamber's.
    """

    spectrum_count: int
    cycle_count: int
    temperature_celsius: float
    spectrum: Spectrum
    fit: CircuitFit | None
    problem: str = ""
    flags: tuple[FlagNote, ...] = ()  # of the measurement; the fit has its own
    of_sample: bool = False  # whether that temperature is the sample's
    temperature_span_kelvin: float = math.nan  # between its first and last point


@dataclass(frozen=True, slots=True)
class PelletFinding:
    """A temperature series of a pellet: conductivity in S/cm, and the interfaces where there are any."""

    electrodes: Literal["blocking", "symmetric"]
    temperature_celsius: Array
    conductivity_siemens_per_centimetre: Array
    relative_uncertainty: Array
    arrhenius: ArrheniusResult | None
    interfaces: InterfaceSeries | None = None
    interface_arrhenius: ArrheniusResult | None = None  # of 1/ASR, S/cm^2
    of_sample: bool = False  # whether every temperature is the sample's own
    temperature_uncertainty_kelvin: float = math.nan  # of one against the others


@dataclass(frozen=True, slots=True)
class CyclingFinding:
    """The per-cycle table and its fade; ``formation_cycles`` come before the fit's first cycle."""

    table: CycleTable
    formation_cycles: frozenset[int]
    fade: FadeResult | None


@dataclass(frozen=True, slots=True)
class ProtocolRevision:
    """A text of the protocol that was in force from ``test_time_second`` and sample ``seq_first`` on."""

    number: int
    test_time_second: float
    seq_first: int
    who: str
    reason: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFindings:
    """Everything a report says about one run."""

    run_id: str
    channel: str
    cell_name: str
    cell: Mapping[str, Any]
    protocol_name: str
    protocol_text: str
    state: str
    reason: str
    started: str  # ISO 8601, UTC
    ended: str
    software_version: str
    identities: Mapping[str, Mapping[str, str]]
    simulated: bool
    samples: int
    test_time_second: float
    traces: Traces
    spectra: tuple[SpectrumFinding, ...]
    pellet: PelletFinding | None
    cycling: CyclingFinding | None
    quantities: tuple[Quantity, ...]
    flags: tuple[FlagNote, ...]
    events: tuple[tuple[float, str, str], ...] = field(default=())  # test time, kind, message
    revisions: tuple[ProtocolRevision, ...] = ()  # of its protocol, the first as it began

    def to_dict(self) -> dict[str, object]:
        """Return results for JSON: facts, quantities and flags, no traces."""
        return {
            "run_id": self.run_id,
            "channel": self.channel,
            "cell": self.cell_name,
            "protocol": self.protocol_name,
            "protocol_revision": len(self.revisions) or 1,
            "state": self.state,
            "samples": self.samples,
            "spectra": len(self.spectra),
            "quantities": [quantity.to_dict() for quantity in self.quantities],
            "flags": [note.to_dict() for note in self.flags],
        }
