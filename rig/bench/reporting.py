"""The report of runs as text, as a process beside the server makes it: it reads the runs itself."""

from __future__ import annotations

from collections.abc import Sequence

from rig.bench.evaluation import evaluate
from rig.bench.simulated_truth import truth_of
from rig.report import report_html
from rig.store.database import open_database
from rig.store.queries import find_run


def report_text(database: str, run_ids: Sequence[str]) -> str:
    """Return the self-contained page of ``rig report`` for these runs; keeps nothing."""
    engine = open_database(database, create=False)
    try:
        records = [find_run(engine, run_id) for run_id in run_ids]
        findings = [evaluate(engine, record, truth_of(record)) for record in records]
    finally:
        engine.dispose()
    names = ", ".join(dict.fromkeys(one.protocol_name for one in findings))
    return report_html(findings, names)
