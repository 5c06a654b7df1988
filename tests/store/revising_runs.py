"""A run's protocol changed while it goes on, as the engine writes it: text, cursor and answer in one."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine

from rig.core.orders import Order
from rig.store.revisions import propose
from tests.store.stores import recorder_on

OLD, NEW = "the old text", "the new text"


def text_row(run_id: str, revision_id: str, text: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "revision_id": revision_id,
        "protocol_file": "p.yaml",
        "protocol_text": text,
        "protocol_sha256": f"sha of {text}",
        "variables": {"cycles": "6"},
        "instead_of_sha256": "",
        "may_widen": False,
        "who": "maria",
        "reason": "I say so",
        "asked_us": 1,
    }


def in_force(row: dict[str, Any], number: int) -> dict[str, Any]:
    where = {"applied_us": 2, "test_time_second": 10.0, "seq_first": 5, "step_count": 2}
    return row | where | {"number": number, "difference": ["loop 1: 3 -> 2 times"]}


def ask(engine: Engine, run_id: str) -> Order:
    return propose(engine, text_row(run_id, "r2", NEW), Order(0, run_id, "revise", asked_us=1))


def put_in_force(engine: Engine, run_id: str, order: Order) -> None:
    """What the engine hands to its recorder in one turn."""
    recorder = recorder_on(engine)
    recorder.row("revision", in_force(text_row(run_id, run_id, OLD), 1))
    recorder.row("revision", in_force(text_row(run_id, "r2", NEW), 2))
    recorder.protocol(run_id, {"protocol_text": NEW, "protocol_sha256": f"sha of {NEW}"})
    recorder.cursor(run_id, lambda: json.dumps({"revision": 2}))
    recorder.answer(order.order_id, "done", "protocol revision 2 is in force", 3)
    recorder.commit()
