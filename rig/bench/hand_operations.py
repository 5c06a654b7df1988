"""What a person does at a channel by hand: open circuit, one spectrum, a lead check; each is a small run.

A protocol is written for it, so that everything that holds for a run holds here: checks, limits,
faults, watchdog, record. It never goes on after an outage: nobody stands there any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.offline import sheet_facts
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

FILE = "by-hand.yaml"
NAME = "by hand: "  # so every run of one is called


class Operation(Enum):
    """What can be done; the values are words for people, and the ends of the runs' names."""

    OPEN_CIRCUIT = "open circuit"
    SPECTRUM = "spectrum"
    LEAD_CHECK = "lead check"


# setting -> (dimension, what it is unless somebody says otherwise)
_SETTINGS: dict[Operation, dict[str, tuple[str, str]]] = {
    Operation.OPEN_CIRCUIT: {"for": ("time", "10 s")},
    Operation.SPECTRUM: {
        "from": ("frequency", "100 kHz"),
        "to": ("frequency", "1 Hz"),
        "amplitude": ("amplitude", "10 mV"),
        "points_per_decade": ("count", "10"),
    },
    # High enough that a pellet's bulk shows nothing but resistance and a lead its inductance.
    Operation.LEAD_CHECK: {
        "from": ("frequency", "100 kHz"),
        "to": ("frequency", "1 kHz"),
        "amplitude": ("amplitude", "10 mV"),
        "pulse": ("current", ""),
    },
}
LONGEST_OPEN_CIRCUIT_SECOND = 3600.0
REST_SECOND, PULSE_SECOND = 5, 2


@dataclass(frozen=True)
class ByHand:
    """One operation with its settings as people write them; what is left out has its usual value."""

    operation: Operation
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{NAME}{self.operation.value}"


def operation_of(protocol_name: str) -> Operation | None:
    """Return what a run was by hand, or None where it was none."""
    return next((one for one in Operation if protocol_name == f"{NAME}{one.value}"), None)


def require_channel(bench: BenchFile, channel: str) -> None:
    """Raise BadInput, with the nearest name, for a channel that the bench does not have."""
    if channel not in bench.channels:
        known = ", ".join(bench.channels)
        message = f"bench {bench.file} has none of that name; it has: {known}"
        suggestion = did_you_mean(channel, bench.channels)
        raise BadInput(Problem(f"channel {channel}", message, suggestion=suggestion))


def protocol_text(by_hand: ByHand, bench: BenchFile, channel: str) -> str:
    """Write the protocol of an operation on a channel. Raises BadInput with all that is wrong."""
    require_channel(bench, channel)
    spec = bench.channels[channel]
    values, problems = _read(by_hand)
    steps = list(_STEPS[by_hand.operation](_Wish(values, bench, spec, problems)))
    safety = _safety(spec, problems) if any(map(_drives, steps)) else []
    if problems:
        raise BadInput(problems, remedy="nothing was put on record")
    lines = [
        "protocol: 1",
        f'name: "{by_hand.name}"',
        "record: {every: 1 s}",
        "on_gap: stop",
        *safety,
        "steps:",
        *(f"  - {step}" for step in steps),
    ]
    return "\n".join(lines) + "\n"


# --- settings -------------------------------------------------------------------------------------


def _read(by_hand: ByHand) -> tuple[dict[str, str], list[Problem]]:
    """Return each setting read and written again, so that nothing else comes into the protocol."""
    known = _SETTINGS[by_hand.operation]
    where = f"by hand, {by_hand.operation.value}"
    problems = [
        Problem(f"{where}: {name}", "is no setting of it", suggestion=did_you_mean(name, known))
        for name in by_hand.settings.keys() - known.keys()
    ]
    values = {}
    for name, (dimension, usual) in known.items():
        text = by_hand.settings.get(name, "").strip() or usual
        if not text:
            continue
        try:
            values[name] = _READERS.get(dimension, _plain_reader(dimension))(text, name)
        except BadInput as bad:
            problems += [
                Problem(f"{where}: {name}", one.message, one.example) for one in bad.problems
            ]
    return values, problems


def _plain_reader(dimension: str) -> Callable[[str, str], str]:
    unit = {"time": "s", "frequency": "Hz", "current": "A"}.get(dimension, "")

    def read(text: str, where: str) -> str:
        value = quantity(text, dimension, where)
        if value <= 0:
            raise BadInput(Problem(where, f"got {text!r}, expected more than zero"))
        return f"{value:.10g} {unit}"

    return read


def _amplitude(text: str, where: str) -> str:
    """In volt or in ampere; which of them is as the analyser works."""
    try:
        return f"{quantity(text, 'voltage', where):.10g} V"
    except BadInput as bad:
        try:
            return f"{quantity(text, 'current', where):.10g} A"
        except BadInput:
            raise bad from None


def _count(text: str, where: str) -> str:
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise BadInput(Problem(where, f"got {text!r}, expected 1 to 50", example="10"))
    return text


_READERS: dict[str, Callable[[str, str], str]] = {"amplitude": _amplitude, "count": _count}


# --- steps ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wish:
    values: Mapping[str, str]
    bench: BenchFile
    channel: ChannelSpec
    problems: list[Problem]

    def refuse(self, message: str) -> None:
        self.problems.append(Problem(f"channel {self.channel.name}", message))


def _open_circuit(wish: _Wish) -> Iterator[str]:
    text = wish.values.get("for", "0 s")
    if quantity(text, "time") > LONGEST_OPEN_CIRCUIT_SECOND:
        wish.refuse(f"got {text} at open circuit by hand, expected 1 h at most; start a protocol")
    yield f"rest: {{for: {text}}}"


def _spectrum(wish: _Wish) -> Iterator[str]:
    values = dict(wish.values)
    count = values.pop("points_per_decade", "10")
    listed = ", ".join(f"{name}: {value}" for name, value in values.items())
    yield f"eis: {{{listed}, points_per_decade: {count}}}"


def _lead_check(wish: _Wish) -> Iterator[str]:
    """Open circuit, high frequencies where the channel can, a pulse where somebody names its current."""
    yield f"rest: {{for: {REST_SECOND} s}}"
    roles = wish.channel.instruments
    if "impedance" in roles:
        span = dict(wish.values)
        span.pop("pulse", None)
        span["from"] = _within_reach(wish, span["from"]) if "from" in span else ""
        listed = ", ".join(f"{name}: {value}" for name, value in span.items())
        yield f"eis: {{{listed}, points_per_decade: 5, repeat_lowest: 0}}"
    elif "resistance" in roles:
        yield "resistance: {}"
    if "pulse" in wish.values:
        yield f"charge: {{at: {wish.values['pulse']}, for: {PULSE_SECOND} s}}"
        yield f"rest: {{for: {PULSE_SECOND} s}}"


def _within_reach(wish: _Wish, text: str) -> str:
    """Return the usual highest frequency, or the analyser's where it ends lower."""
    span = sheet_facts(wish.bench, wish.channel).frequency
    wanted = quantity(text, "frequency")
    return text if span is None or wanted <= span[1] else f"{span[1]:.10g} Hz"


_STEPS: dict[Operation, Callable[[_Wish], Iterator[str]]] = {
    Operation.OPEN_CIRCUIT: _open_circuit,
    Operation.SPECTRUM: _spectrum,
    Operation.LEAD_CHECK: _lead_check,
}


def _drives(step: str) -> bool:
    return step.startswith(("eis", "charge"))


def _safety(channel: ChannelSpec, problems: list[Problem]) -> list[str]:
    """What drives a cell has to name its voltage limits: the channel's, which hold in any case."""
    low, high = channel.limits.voltage_min_volt, channel.limits.voltage_max_volt
    if low is None or high is None:
        message = "has no voltage limits in the bench file, and this drives its cell"
        example = f"limits: {{{channel.name}: {{voltage: [2.5 V, 4.3 V]}}}}"
        problems.append(Problem(f"channel {channel.name}", message, example))
        return []
    return [f"safety: {{voltage: [{low:.10g} V, {high:.10g} V]}}"]
