"""One analysis over many runs: who is meant, what comes out, and who may be killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading

import psutil
import pytest

from rig.bench.run_choice import choose_runs
from rig.bench.run_fits import Outcome, RunTask, fit_runs
from rig.bench.workforce import KILLED, in_order, in_processes, tasks_of
from rig.core.errors import BadInput, RigError
from tests.bench.many import alpha_of, run_of, store_with_fading_runs
from tests.postgres import wait_until

RUNS = 12


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "lab.db"
    engine = store_with_fading_runs(path, RUNS)
    yield engine, f"sqlite:///{path}"
    engine.dispose()


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (None, RUNS),
        ("chemistry = 'LFP'", RUNS // 4),
        ("cell LIKE 'cell 1%' AND cycles >= 8", 3),
        ("state = 'finished' AND started < TIMESTAMP '1970-01-02'", RUNS),
        ("cycles > 100", 0),
    ],
)
def test_a_condition_names_runs_by_what_is_known_of_them_and_their_cells(lab, where, count):
    assert len(choose_runs(lab[0], where)) == count


@pytest.mark.parametrize(
    "where",
    [
        "chemistri = 'NMC'",
        "cycles >",
        "run_id IN (SELECT content FROM read_text('/etc/hostname'))",
        "1=1); DROP TABLE run; --",
    ],
)
def test_a_condition_that_is_none_is_told_with_the_columns_there_are(lab, where):
    with pytest.raises(BadInput, match="chemistry"):
        choose_runs(lab[0], where)
    assert len(choose_runs(lab[0], None)) == RUNS


def test_each_run_gives_its_own_fade_and_one_that_cannot_says_why(lab):
    _, url = lab
    first, unknown, last = fit_runs(RunTask("fade", (run_of(0), "f" * 32, run_of(11)), url))
    assert first.values["alpha_per_cycle"] == pytest.approx(alpha_of(0), rel=1e-6)
    assert last.values["alpha_per_cycle"] == pytest.approx(alpha_of(11), rel=1e-6)
    assert "no such run" in unknown.problem
    (none,) = fit_runs(RunTask("arrhenius", (run_of(0),), url))
    assert "no temperature series" in none.problem


def test_a_task_does_not_show_the_password_of_its_database():
    assert "secret" not in repr(RunTask("fade", ("a",), "postgresql://rig:secret@lab/cells"))


def test_processes_find_what_one_process_finds(lab):
    _, url = lab
    run_ids = [run_of(number) for number in range(RUNS)]
    alone = fit_runs(RunTask("fade", tuple(run_ids), url))
    assert in_order(list(in_processes(tasks_of("fade", url, run_ids, 2), 2)), run_ids) == alone


def test_a_worker_that_is_killed_loses_none(lab):
    _, url = lab
    run_ids = [run_of(number) for number in range(RUNS)]
    tasks = [RunTask("fade", (run_id,), url) for run_id in run_ids]
    me = psutil.Process()

    def workers() -> list[psutil.Process]:  # children of the process that begins them
        return [child for child in me.children(recursive=True) if child.ppid() != me.pid]

    def kill_one() -> None:
        wait_until(lambda: bool(workers()))
        workers()[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    outcomes = list(in_processes(tasks, 2))
    killer.join()
    assert [one.problem for one in in_order(outcomes, run_ids)] == [""] * RUNS


def test_a_run_that_kills_every_worker_is_told_from_those_beside_it(lab, monkeypatch):
    """The analysis of one run ends its process, as one that takes all memory does."""
    _, url = lab
    run_ids = [run_of(0), DEADLY, run_of(1)]
    monkeypatch.setattr("rig.bench.workforce.fit_runs", fit_or_die)
    found = in_order(list(in_processes(tasks_of("fade", url, run_ids, 1), 2)), run_ids)
    assert [one.problem for one in found] == ["", KILLED, ""]


DEADLY = "d" * 32


def fit_or_die(task: RunTask) -> list[Outcome]:
    if DEADLY in task.run_ids:
        os.kill(os.getpid(), signal.SIGKILL)
    return fit_runs(task)


def test_an_outcome_that_is_missing_or_double_is_never_passed_over():
    with pytest.raises(RigError, match="1 outcomes for 2 runs"):
        in_order([Outcome("a")], ["a", "b"])
    with pytest.raises(RigError):
        in_order([Outcome("a"), Outcome("a")], ["a", "b"])
