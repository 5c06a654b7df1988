"""``rig bench check``: ask everything that is plugged in who it is; report all failures together."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rig.bench.file import SIMULATED, BenchFile
from rig.bench.instruments import open_bench
from rig.core.clock import RealClock, SimulatedClock
from rig.core.errors import BadInput
from rig.core.instruments import Identity
from rig.core.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one instrument: who it is, or what is wrong.

    ``note`` is worth knowing and no failure.
    """

    name: str
    driver: str
    connect: str
    identity: str = ""
    problem: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def inspect_bench(bench: BenchFile) -> list[Finding]:
    """Open, identify and close each instrument in turn; switches nothing on."""
    return [_inspect(bench, name) for name in bench.instruments]


def _inspect(bench: BenchFile, name: str) -> Finding:
    spec = bench.instruments[name]
    clock = SimulatedClock() if spec.connect == SIMULATED else RealClock(bench.speed or 1.0)
    try:
        opened = open_bench(bench, clock, instruments=[name])
    except BadInput as bad:
        problem = "; ".join(problem.message for problem in bad.problems)
        return Finding(name, spec.driver, spec.connect, problem=problem)
    identity, sheet = opened.identities[name], opened.drivers[name].sheet
    opened.close()
    words = (
        f"{identity.maker} {identity.model}, serial {identity.serial}, firmware {identity.firmware}"
    )
    return Finding(name, spec.driver, spec.connect, words, note=firmware_note(identity, sheet))


def firmware_note(identity: Identity, sheet: Sheet) -> str:
    """Return what to know where the firmware is none of those the sheet's facts are from; else ""."""
    if not sheet.firmware or identity.firmware in sheet.firmware:
        return ""
    told = identity.firmware or "not told"
    return f"firmware {told}; the sheet's facts are from {' and '.join(sheet.firmware)}"
