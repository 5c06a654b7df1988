"""The Battery Data Format's columns: machine names, preferred labels, and what is deprecated.

Ontology 1.3.0 of the Battery Data Alliance (repository battery-data-format). Both spellings of a
column are legal in a file; inside this software only the machine name is used. Knows no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REQUIRED = ("test_time_second", "voltage_volt", "current_ampere")
RECOMMENDED = (
    "unix_time_second",
    "cycle_count",
    "step_count",
    "ambient_temperature_celsius",
)

_SLASH = re.compile(r"\s*/\s*")
_FLOWS = ("charging", "discharging", "net", "cumulative")
_PLAIN = {
    "test_time_second": "Test Time / s",
    "voltage_volt": "Voltage / V",
    "current_ampere": "Current / A",
    "unix_time_second": "Unix Time / s",
    "cycle_count": "Cycle Count / 1",
    "step_count": "Step Count / 1",
    "ambient_temperature_celsius": "Ambient Temperature / degC",
    "step_id": "Step ID",
    "step_type": "Step Type",
    "step_time_second": "Step Time / s",
    "record_index": "Record Index / 1",
    "step_record_index": "Step Record Index / 1",
}
_REST = {
    "power_watt": "Power / W",
    "internal_resistance_ohm": "Internal Resistance / ohm",
    "dc_internal_resistance_ohm": "DC Internal Resistance / ohm",
    "ac_internal_resistance_ohm": "AC Internal Resistance / ohm",
    "frequency_hertz": "Frequency / Hz",
    "real_impedance_ohm": "Real Impedance / ohm",
    "imaginary_impedance_ohm": "Imaginary Impedance / ohm",
    "absolute_impedance_ohm": "Absolute Impedance / ohm",
    "phase_degree": "Phase / deg",
    "ambient_pressure_pa": "Ambient Pressure / Pa",
    "applied_pressure_pa": "Applied Pressure / Pa",
    "surface_pressure_pa": "Surface Pressure / Pa",
    "surface_temperature_celsius": "Surface Temperature / degC",
    **{f"temperature_t{n}_celsius": f"Temperature T{n} / degC" for n in range(1, 6)},
}


def counter_names(since: str = "") -> tuple[str, ...]:
    """Return the capacity and energy columns that count ``since`` the test, ``cycle`` or ``step``.

    >>> counter_names("step")[:2]
    ('step_charging_capacity_ah', 'step_discharging_capacity_ah')
    """
    before = f"{since}_" if since else ""
    flows = _FLOWS[:2] if since == "schedule" else _FLOWS
    return tuple(
        f"{before}{flow}_{quantity}" for quantity in ("capacity_ah", "energy_wh") for flow in flows
    )


def _counter_label(name: str) -> str:
    words, unit = name.rsplit("_", 1)
    return f"{words.replace('_', ' ').title()} / {'Ah' if unit == 'ah' else 'Wh'}"


COUNTERS = tuple(
    name for since in ("", "cycle", "step", "schedule") for name in counter_names(since)
)

# machine name -> preferred label, in the order in which a file is written
LABELS: dict[str, str] = {
    **_PLAIN,
    **{name: _counter_label(name) for name in COUNTERS},
    **_REST,
}


@dataclass(frozen=True, slots=True)
class Deprecated:
    """What an old column is called now, and what its numbers are multiplied by."""

    name: str
    factor: float = 1.0


DEPRECATED: dict[str, Deprecated] = {
    "step_index": Deprecated("step_record_index"),
    "test_time_millisecond": Deprecated("test_time_second", 1e-3),
    "unix_time_millisecond": Deprecated("unix_time_second", 1e-3),
    "step_capacity_ah": Deprecated("step_cumulative_capacity_ah"),
    "step_energy_wh": Deprecated("step_cumulative_energy_wh"),
}
_DEPRECATED_LABELS = {
    "step index / 1": "step_index",
    "test time / ms": "test_time_millisecond",
    "unix time / ms": "unix_time_millisecond",
    "step capacity / ah": "step_capacity_ah",
    "step energy / wh": "step_energy_wh",
}
_BY_LABEL = {label.lower(): name for name, label in LABELS.items()} | _DEPRECATED_LABELS


def machine_name(header: str) -> str | None:
    """Return a column's machine name (an old one for a deprecated column), or None if unknown.

    >>> machine_name("Voltage / V"), machine_name("voltage_volt"), machine_name("Volts")
    ('voltage_volt', 'voltage_volt', None)
    """
    word = " ".join(header.split()).lower()
    if word in LABELS or word in DEPRECATED:
        return word
    label = _SLASH.sub(" / ", word).replace("°c", "degc").replace("ω", "ohm")
    return _BY_LABEL.get(label)
