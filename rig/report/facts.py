"""What is said of a run in words: its facts, its instruments, its events, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rig.report.findings import RunFindings
from rig.report.numbers import counted, duration, exact

UNKNOWN = "not recorded"
_NOT_SAID = "it does not say"

# column of the cell's record -> (word, factor, unit)
_GEOMETRY = {
    "area_square_centimetre": ("area", 1.0, "cm²"),
    "thickness_centimetre": ("thickness", 10.0, "mm"),
    "mass_gram": ("mass", 1000.0, "mg"),
    "capacity_ah": ("rated capacity", 1000.0, "mAh"),
}
# In the order of gravity; everything else follows in the order of time.
_ALARMS = ("alarm", "tripped", "bug")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument as it identified itself."""

    name: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True, slots=True)
class EventRow:
    time: str
    kind: str
    message: str
    alarm: bool


def facts(run: RunFindings) -> tuple[tuple[str, str], ...]:
    """Return (name, text) pairs; what nobody recorded is named, not left out."""
    spectra = counted(len(run.spectra), "spectrum", "spectra")
    return (
        ("Run", run.run_id),
        ("Cell", run.cell_name or UNKNOWN),
        ("Chemistry", str(run.cell.get("chemistry") or UNKNOWN)),
        ("Geometry", geometry(run) or UNKNOWN),
        ("Protocol", _protocol(run)),
        *_revisions(run),
        ("Started, ended (UTC)", _when(run)),
        ("Test time", duration(run.test_time_second)),
        ("Data", f"{_thousands(run.samples)} samples, {spectra}"),
        ("Software", f"cellrig {run.software_version}"),
    )


def _protocol(run: RunFindings) -> str:
    if not run.revisions:
        return run.protocol_name
    return f"{run.protocol_name}, revision {run.revisions[-1].number} of {len(run.revisions)}"


def _revisions(run: RunFindings) -> tuple[tuple[str, str], ...]:
    """Return one line for each change while the run went on: from when, who, why, what."""
    return tuple(
        (
            f"Protocol revision {one.number}",
            f"from {duration(one.test_time_second)} (sample {one.seq_first}) on, by {one.who}: "
            f"{one.reason or 'no reason given'}. {'; '.join(one.changes)}",
        )
        for one in run.revisions[1:]
    )


def geometry(run: RunFindings) -> str:
    """Return area, thickness, mass and capacity with their units, as far as they are known."""
    parts = [
        f"{word} {exact(float(value) * factor)} {unit}"
        for key, (word, factor, unit) in _GEOMETRY.items()
        if (value := run.cell.get(key)) is not None
    ]
    if run.cell.get("symmetric"):
        parts.append("symmetric")
    return ", ".join(parts)


def instruments(run: RunFindings) -> tuple[Instrument, ...]:
    """Return the instruments that answered when the run began, by name."""
    return tuple(
        Instrument(
            name,
            f"{identity.get('maker', '')} {identity.get('model', '')}".strip() or UNKNOWN,
            identity.get("serial", "") or _NOT_SAID,
            identity.get("firmware", "") or _NOT_SAID,
        )
        for name, identity in sorted(run.identities.items())
    )


def events(run: RunFindings) -> tuple[EventRow, ...]:
    """Return the run's events, alarms first, each group in the order of time."""
    rows = sorted(run.events, key=lambda event: (_gravity(event[1]), event[0]))
    return tuple(
        EventRow(_clock(time), kind, _brief(message), _gravity(kind) == 0)
        for time, kind, message in rows
    )


def missing(run: RunFindings) -> tuple[str, ...]:
    """Say what the run does not have that a finished one would, and why."""
    if not run.samples:
        return ("No samples were recorded.", *_no_results(run))
    gaps = []
    failed = [one for one in run.spectra if one.fit is None]
    if failed:
        gaps.append(f"{len(failed)} of {len(run.spectra)} spectra have no fit.")
    if run.pellet is not None and run.pellet.arrhenius is None:
        gaps.append("No Arrhenius law: the temperature series does not support one.")
    if run.cycling is not None and run.cycling.fade is None:
        gaps.append("No fade law: too few complete cycles after formation.")
        return tuple(gaps)
    return (*gaps, *_no_results(run))


def _no_results(run: RunFindings) -> tuple[str, ...]:
    if run.quantities:
        return ()
    if not run.spectra and run.cycling is None:
        return ("No results: neither a complete spectrum nor a cycle was recorded.",)
    if run.pellet is None and run.cycling is None:
        why = "it takes the cell's area and thickness, and spectra at several temperatures"
        return (f"No conductivity: {why}.",)
    if run.cycling is not None:
        return ("No result over all cycles; the cycles themselves are in the table.",)
    return ("No results: the data do not support any.",)


def span(findings: Sequence[RunFindings]) -> str:
    """Return when all this was measured, as dates."""
    starts = sorted(run.started[:10] for run in findings if run.started)
    ends = sorted(run.ended[:10] for run in findings if run.ended)
    if not starts:
        return "not started"
    last = ends[-1] if ends else starts[-1]
    return starts[0] if starts[0] == last else f"{starts[0]} to {last}"


def moment(iso: str) -> str:
    """Write an ISO 8601 time of UTC shorter: ``2026-01-01 00:00:01``."""
    return iso.removesuffix("+00:00").removesuffix("Z").replace("T", " ", 1)


def _when(run: RunFindings) -> str:
    if not run.started:
        return "not started"
    started = moment(run.started)
    return f"{started} to {moment(run.ended)}" if run.ended else f"{started}, no end recorded"


def _thousands(number: int) -> str:
    """Group by narrow spaces, which no country reads as a decimal point."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _gravity(kind: str) -> int:
    return 0 if kind in _ALARMS else 1


def _clock(second: float) -> str:
    if not math.isfinite(second):
        return UNKNOWN
    hours, rest = divmod(round(second), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def _brief(message: str) -> str:
    """Keep the last line of a traceback: it names the cause; the rest stays in the database."""
    lines = [line for line in message.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
