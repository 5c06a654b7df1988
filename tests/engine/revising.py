"""Protocols to be revised, and somebody who proposes a new text at a given test time."""

from __future__ import annotations

import functools
import uuid
from dataclasses import replace

from rig.core.orders import Order
from rig.engine.revision import Proposed
from rig.protocol import loads_protocol
from rig.protocol.program import Program

CYCLING = """protocol: 1
name: cycles and a spectrum
cell: {area: 0.785 cm^2, capacity: 1 Ah}
safety: {voltage: [2.5 V, 4.4 V], current: 1 A, check_every: 10 s}
record: {every: 60 s}
steps:
  - rest: {for: 10 min}
  - repeat: 3
    steps:
      - charge: {at: 0.5 A, until: 4.0 V}
      - rest: {for: 20 min}
      - discharge: {at: 0.5 A, until: 3.1 V}
  - eis: {from: 100 kHz, to: 1 Hz, points_per_decade: 2, amplitude: 10 mV}
"""


@functools.cache
def program(text: str = CYCLING) -> Program:
    return loads_protocol(text)


def proposed(
    text: str, number: int = 1, *, may_widen: bool = False, instead_of: str = "", who: str = "maria"
) -> Proposed:
    """Return what a door hands to a run: a text, compiled, with the rows that are kept of it."""
    new = program(text)
    order = Order(number, "r1", "revise", uuid.uuid4().hex, who, "I say so")
    row: dict[str, object] = {
        "run_id": "r1",
        "revision_id": order.argument,
        "protocol_file": "new.yaml",
        "protocol_text": text,
        "protocol_sha256": new.sha256,
    }
    first = row | {"revision_id": "r1", "number": 1}
    return Proposed(order, new, row, first, may_widen=may_widen, instead_of=instead_of)


def tightened(text: str, limit: str) -> str:
    """Return the text with another upper voltage limit."""
    return text.replace("4.4 V]", f"{limit}]")


def with_limits(new: Program, **limits: float) -> Program:
    """Return a program with other limits in force, as a bench file may have them."""
    return replace(new, safety=replace(new.safety, **limits))
