"""Alert rules over REST and beside the page: tried, kept, judged by a thread, told to whom they name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from rig.bench.rule_judging import RuleJudge
from rig.bench.rule_notifying import notifier_to
from rig.bench.rule_reading import Author, RuleText, read_rule
from rig.bench.run_choice import CHOOSABLE, choosing_table
from rig.core.alarms import Severity
from rig.core.clock import SimulatedClock
from rig.core.roles import Role
from rig.store.accounts import Change
from rig.store.alarms import open_alarms
from rig.store.rules import add_rule
from rig.web.house import House
from rig.web.judging import judged
from tests.web.houses import HandClock, let_in, visited

SIMULATED_US = 1_767_225_600_000_000  # 2026-01-01: when the finished run was made on its clock
LOW = {"name": "Low efficiency", "quantity": "coulombic_efficiency", "threshold": "200 %"}


@pytest.fixture
def visit(url: str) -> Iterator[tuple[TestClient, House]]:
    clock = HandClock(us=SIMULATED_US + 10 * 86_400_000_000)
    with visited(url, clock=clock) as (client, house):
        house.recipients = ("maria", "lab")
        yield client, house


def test_a_rule_is_tried_kept_changed_and_taken_away_with_its_author_in_the_journal(visit) -> None:
    client, _ = visit
    trial = client.post("/api/alert-rules/trial", json=LOW | {"days": 30}).json()
    assert trial["words"] == "would have fired once in 30 days, on 1 of 1 run"
    (fired,) = trial["firings"]
    assert (fired["cell"], fired["cycle_count"]) == ("LPS-17", 1)
    made = client.post("/api/alert-rules", json=LOW | {"recipients": ["maria"]})
    assert made.status_code == 201
    rule_id = made.json()["rule_id"]
    (listed,) = client.get("/api/alert-rules").json()["rules"]
    assert listed["words"] == "coulombic efficiency below 200 %"
    assert (listed["firing"], listed["fired"], listed["last_fired_us"]) == ([], 0, None)
    changed = client.put(f"/api/alert-rules/{rule_id}", json=LOW | {"threshold": "50 %"}).json()
    assert (changed["threshold_text"], changed["made_us"]) == ("50 %", listed["made_us"])
    assert client.delete(f"/api/alert-rules/{rule_id}").json() == {"removed": rule_id}
    verbs = [line["verb"] for line in client.get("/api/journal?limit=3").json()["journal"]]
    assert verbs == ["rule remove", "rule change", "rule add"]
    assert client.delete(f"/api/alert-rules/{rule_id}").status_code == 404


def test_everything_that_is_wrong_with_a_rule_is_answered_at_once(visit) -> None:
    client, _ = visit
    body = LOW | {"threshold": "99", "severity": "loud", "recipients": ["mary"], "consecutive": 0}
    answer = client.post("/api/alert-rules", json=body)
    assert answer.status_code == 422
    where = [problem["where"] for problem in answer.json()["problems"]]
    assert where == ["severity", "consecutive", "threshold", "recipients"]
    assert all(problem["example"] for problem in answer.json()["problems"])
    assert client.post("/api/alert-rules", json={"name": "x"}).status_code == 422
    assert client.get("/api/alert-rules").json()["rules"] == []


def test_a_viewer_reads_rules_and_neither_makes_nor_tries_one(visit) -> None:
    client, house = visit
    client.post("/api/alert-rules", json=LOW)
    key = let_in(house.database, "vera", Role.VIEWER)
    assert len(client.get("/api/alert-rules", headers=key).json()["rules"]) == 1
    for path in ("/api/alert-rules", "/api/alert-rules/trial"):
        assert client.post(path, json=LOW, headers=key).status_code == 403


def test_where_a_rule_fired_is_shown_until_it_is_well_again(visit) -> None:
    client, house = visit
    with house.store.begin() as connection:  # the finished run goes on
        connection.exec_driver_sql("UPDATE run SET state = 'running'")
    rule_id = client.post("/api/alert-rules", json=LOW | {"consecutive": 2}).json()["rule_id"]
    judge = RuleJudge(house.store, house.history, house.clock, house.rule_troubles)
    assert len(judge.turn()) == 1
    (listed,) = client.get("/api/alert-rules").json()["rules"]
    (open_one,) = listed["firing"]
    assert (open_one["cycle_count"], open_one["ended_us"]) == (2, None)
    (alarm,) = client.get("/api/alarms").json()["alarms"]
    assert (alarm["alarm_id"], alarm["kind"]) == (open_one["alarm_id"], "rule-low-efficiency")
    assert alarm["unit"] == "%"
    with house.store.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'finished'")
    judge.turn()
    (fired,) = client.get(f"/api/alert-rules/{rule_id}/firings").json()["firings"]
    assert fired["ended_us"] is not None
    assert client.get("/api/alert-rules").json()["rules"][0]["firing"] == []


def test_the_columns_that_a_form_offers_are_those_that_there_are(visit) -> None:
    _, house = visit
    assert tuple(choosing_table(house.store).columns) == CHOOSABLE


def test_a_house_that_is_served_judges_its_rules_in_a_thread_of_its_own(visit) -> None:
    client, house = visit
    with house.store.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'running'")
    client.post("/api/alert-rules", json=LOW)
    looked = threading.Event()
    expire = house.live.expire
    house.live.expire = lambda: (expire(), looked.set())  # type: ignore[method-assign]
    with judged(house, every_second=0.05):
        assert looked.wait(60.0)
    assert [alarm.kind for alarm in open_alarms(house.store)] == ["rule-low-efficiency"]


# --- told ----------------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """A target that takes everything."""

    label: str
    lowest: Severity
    titles: list[str] = field(default_factory=list)

    def send(self, title: str, body: str, severity: Severity) -> str:
        self.titles.append(title)
        return ""


def test_a_rule_tells_those_whom_it_names_else_all_whom_it_is_bad_enough_for(visit) -> None:
    _, house = visit
    with house.store.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'running'")
    maria, lab = Mailbox("1", Severity.CRITICAL), Mailbox("2", Severity.WARNING)
    clock = SimulatedClock()
    names = {"1": "maria", "2": "lab"}
    notifier = notifier_to([maria, lab], names, house.store, clock, "b.yaml on labpc3")
    for name, recipients in (("Named", ("maria",)), ("Unnamed", ())):
        text = RuleText(**LOW | {"name": name, "recipients": recipients})
        author = Author("m", house.clock.wall_us())
        add_rule(house.store, read_rule(text, author, house.store, None), Change("m", 1))
    RuleJudge(house.store, house.history, house.clock).turn()
    clock.wait_until(10.0)
    notifier.turn()
    assert maria.titles == ["[cellrig] WARNING, channel C1: rule-named"]
    assert lab.titles == ["[cellrig] WARNING, channel C1: rule-unnamed"]
