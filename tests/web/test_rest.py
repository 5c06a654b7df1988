"""What REST tells of a finished run is what the store has, and what is wrong is told in its words."""

from __future__ import annotations

import io
import math
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from rig.core.alarms import Severity, raise_alarm
from rig.core.roles import Role
from rig.store.alarms import raise_now
from rig.store.database import open_database
from rig.store.exporting import FORMATS
from rig.store.importing import RIG_ID
from rig.store.live import IMPORTED_RIG
from tests.web.houses import PASSWORD, PROTOCOL, HandClock, let_in, visited


def json_of(client: TestClient, path: str, status: int = 200) -> Any:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(client: TestClient, path: str, status: int) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    return dict(answer.json())


@pytest.fixture
def engine(url: str):
    engine = open_database(url)
    yield engine
    engine.dispose()


def test_a_run_is_found_by_id_by_its_beginning_and_as_the_last(client: TestClient) -> None:
    run_id = json_of(client, "/api/runs/last")["run_id"]
    for name in (run_id, run_id[:6], run_id[:6].upper()):
        found = json_of(client, f"/api/runs/{name}")
        assert found["run_id"] == run_id
    assert found["protocol_text"] == PROTOCOL
    assert found["cell"] == "LPS-17"
    assert found["now"]["state"] == "finished"


@pytest.mark.parametrize("name", ["zzz", "%25", "_", "%00", "x" * 64])
def test_a_run_that_is_not_there_is_404_whatever_it_is_called(
    client: TestClient, name: str
) -> None:
    assert "no such run" in problem(client, f"/api/runs/{name}", 404)["detail"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("q=SHORT", 1),
        ("q=lps-17", 1),
        ("q=100%25", 0),
        ("q=_", 0),
        ("channel=C1&state=finished&cell=LPS-17", 1),
        ("channel=C2", 0),
        ("state=running", 0),
        ("protocol=two%20short%20cycles", 1),
        ("since_us=9000000000000000000", 0),
        ("until_us=1", 0),
        ("offset=1", 1),
    ],
)
def test_runs_are_searched_and_filtered(client: TestClient, query: str, found: int) -> None:
    page = json_of(client, f"/api/runs?{query}")
    assert page["total"] == found
    assert len(page["runs"]) == (0 if "offset" in query else found)


def test_what_a_run_left_is_told_as_it_is_stored(client: TestClient) -> None:
    steps = json_of(client, "/api/runs/last/steps")["steps"]
    assert [step["kind"] for step in steps[:4]] == ["eis", "charge", "rest", "discharge"]
    cycles = json_of(client, "/api/runs/last/cycles")["cycles"]
    assert [cycle["cycle_count"] for cycle in cycles] == [1, 2]
    events = json_of(client, "/api/runs/last/events?limit=1")["events"]
    assert len(events) == 1
    spectra = json_of(client, "/api/runs/last/spectra")["spectra"]
    number = spectra[0]["spectrum_count"]
    points = json_of(client, f"/api/runs/last/spectra/{number}")["points"]
    assert len(points) >= 12
    assert points[0]["frequency_hertz"] == pytest.approx(1e5)
    problem(client, "/api/runs/last/spectra/99", 404)
    for empty in ("results", "alarms", "journal"):
        assert json_of(client, f"/api/runs/last/{empty}")[empty] == []


def test_samples_of_a_window_are_all_there_when_there_is_room(client: TestClient) -> None:
    whole = json_of(client, "/api/runs/last/samples?points=100000")
    assert whole["thinned"] is False
    assert whole["columns"]["seq"] == list(range(whole["samples"]))
    part = json_of(
        client, "/api/runs/last/samples?begin_second=100&end_second=200&points=1000&columns=phase"
    )
    times = part["columns"]["test_time_second"]
    assert times
    assert min(times) >= 100
    assert max(times) <= 200
    assert set(part["columns"]) == {"seq", "test_time_second", "phase"}


def test_thinned_samples_keep_the_spike_and_are_samples_as_measured(
    client: TestClient, engine
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sample SET voltage_volt = 9.9 WHERE seq = 777")
        connection.exec_driver_sql("UPDATE sample SET current_ampere = NULL WHERE seq = 778")
    whole = json_of(client, "/api/runs/last/samples?points=100000")["columns"]
    few = json_of(client, "/api/runs/last/samples?points=50")
    assert few["thinned"] is True
    kept = few["columns"]
    assert len(kept["seq"]) <= 50
    assert 777 in kept["seq"]
    for name, values in kept.items():
        assert values == [whole[name][seq] for seq in kept["seq"]]


def test_unknown_columns_are_named_all_at_once_with_the_nearest(client: TestClient) -> None:
    found = problem(client, "/api/runs/last/samples?columns=voltage,curent_ampere,aux", 422)
    assert [one["where"] for one in found["problems"]] == ["columns"] * 3
    assert found["problems"][1]["suggestion"] == "current_ampere"


@pytest.mark.parametrize("query", ["points=5", "begin_second=nan", "end_second=inf", "points=x"])
def test_a_window_that_is_none_is_bad_input(client: TestClient, query: str) -> None:
    problem(client, f"/api/runs/last/samples?{query}", 422)


def test_a_run_is_exported_whole_under_a_name_that_tells_what_it_is(client: TestClient) -> None:
    answer = client.get("/api/runs/last/export?format=bdf-csv")
    frame = pd.read_csv(io.StringIO(answer.text))
    assert len(frame) == json_of(client, "/api/runs/last/samples")["samples"]
    assert "C1_" in answer.headers["content-disposition"]
    for format_name in FORMATS:
        whole = client.get(f"/api/runs/last/export?format={format_name}")
        if format_name.startswith("results"):  # nobody has looked for any yet
            assert whole.status_code == 422
            continue
        assert whole.status_code == 200, whole.text
        assert whole.headers["content-disposition"].endswith(f'{FORMATS[format_name]}"')
    found = problem(client, "/api/runs/last/export?format=bdf-cvs", 422)
    assert found["problems"][0]["suggestion"] == "bdf-csv"


def test_every_channel_of_the_bench_is_shown_and_those_that_never_ran_are_free(
    client: TestClient,
) -> None:
    channels = {one["channel"]: one for one in json_of(client, "/api/channels")["channels"]}
    assert list(channels) == ["P1", "P2", "C1", "C2"]
    assert channels["C1"]["state"] == "finished"
    assert channels["C1"]["capacity_retention"] is not None
    assert channels["C1"]["current_ampere"] is None  # nothing flows now
    assert len(channels["C1"]["trend"]["voltage_volt"]) == 60
    assert channels["C2"]["state"] == "free"
    assert json_of(client, "/api/channels/C1") == channels["C1"]
    assert "P1" in problem(client, "/api/channels/P7", 404)["detail"]


def test_an_alarm_is_acknowledged_once_with_name_and_reason(client: TestClient, engine) -> None:
    alarm = raise_alarm(Severity.CRITICAL, "unconfirmed-safe-state", "!", raised_us=1, channel="C1")
    raise_now(engine, alarm)
    (shown,) = json_of(client, "/api/alarms")["alarms"]
    assert shown["remedy"] == "Disconnect the cell by hand now."
    path, body = f"/api/alarms/{alarm.alarm_id[:8]}/acknowledge", {"reason": "done by hand"}
    assert len(client.post(path, json=body).json()["acknowledged"]) == 1
    assert client.post(path, json=body).json()["acknowledged"] == []
    assert json_of(client, "/api/alarms") == {"alarms": [], "total": 0}
    (line,) = json_of(client, "/api/journal")["journal"]
    assert (line["who"], line["reason"]) == ("open@testclient", "done by hand")
    assert client.post("/api/alarms/zz/acknowledge", json={}).status_code == 404


def test_a_protocol_is_checked_in_the_words_of_the_command_line(client: TestClient) -> None:
    good = client.post("/api/check", json={"text": PROTOCOL, "channels": ["C1"]}).json()
    assert good["needs"] == ["cell", "impedance"]
    assert good["steps"][0]["words"].startswith("EIS 100 kHz")
    bad = client.post("/api/check", json={"text": PROTOCOL.replace("1C", "1"), "file": "my.yaml"})
    assert bad.status_code == 422
    assert [one["where"] for one in bad.json()["problems"]] == ["my.yaml:10:22", "my.yaml:12:25"]
    unfit = client.post("/api/check", json={"text": PROTOCOL, "channels": ["P9", "C1"]}).json()
    assert unfit["problems"][0]["where"] == "channel P9"


def test_the_answer_to_did_we_lose_anything_is_no_and_then_yes(client: TestClient, engine) -> None:
    assert json_of(client, "/api/data-health")["words"] == "nothing is lost"
    with engine.begin() as connection:
        newest = "seq > (SELECT max(seq) - 3 FROM sample)"
        connection.exec_driver_sql(f"DELETE FROM sample WHERE {newest}")
    health = json_of(client, "/api/data-health")
    assert health["well"] is False
    assert health["runs"][0]["missing_samples"] == 3


def test_a_run_whose_process_died_says_so_and_so_does_the_health_of_its_data(
    client: TestClient, engine
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'running', ended_us = NULL")
    shown = json_of(client, "/api/channels/C1")
    assert shown["driven"] is False
    assert shown["next"].startswith("no process has this run")
    assert "C1: its engine died" in json_of(client, "/api/data-health")["words"]


def test_what_was_brought_in_from_a_file_is_on_no_channel(client: TestClient, engine) -> None:
    assert IMPORTED_RIG == RIG_ID
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO rig VALUES ('imported', 'files', 0)")
        connection.exec_driver_sql("UPDATE run SET rig_id = 'imported'")
    channels = json_of(client, "/api/channels")["channels"]
    assert {one["state"] for one in channels} == {"free"}


def test_metrics_have_state_values_and_alarms_and_no_number_where_nothing_was_measured(
    client: TestClient, engine
) -> None:
    raise_now(engine, raise_alarm(Severity.ALARM, "disk-full", "!", raised_us=1, channel="C1"))
    text = client.get("/metrics").text
    assert 'rig_channel_state{channel="C1",rig="rig",state="finished"} 1.0' in text
    assert 'rig_channel_state{channel="C2",rig="",state="free"} 1.0' in text
    assert 'rig_alarms{channel="C1",rig="rig",severity="alarm"} 1.0' in text
    (volt,) = [line for line in text.splitlines() if line.startswith("rig_channel_voltage_volts{")]
    assert math.isfinite(float(volt.split()[1]))
    assert "rig_channel_pressure_pascals{" not in text


def test_a_database_that_went_away_is_503_and_the_last_view_stays(url: str) -> None:
    clock = HandClock()
    with visited(url, clock=clock) as (client, house):
        assert client.get("/healthz").json()["status"] == "ok"
        with house.store.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE run RENAME TO gone")
        clock.pass_by(1)
        assert client.get("/healthz").json()["status"] == "database away"
        channels = client.get("/api/channels").json()
        assert "no such table" in channels["failure"]
        assert channels["channels"][2]["channel"] == "C1"
        problem(client, "/api/runs", 503)


def test_admins_make_and_end_accounts_and_tokens_each_on_record(url: str) -> None:
    key = let_in(url, "ada", Role.ADMIN)
    with visited(url) as (client, _):
        client.headers |= key
        olaf = {"name": "olaf", "password": PASSWORD, "role": "operator"}
        assert client.post("/api/users", json=olaf).status_code == 201
        assert client.post("/api/users", json=olaf).status_code == 422
        assert (
            client.post("/api/users", json=olaf | {"name": "x", "password": "s"}).status_code == 422
        )
        made = client.post("/api/tokens", json={"name": "plot", "user": "olaf", "days": 3}).json()
        visitor = {"Authorization": f"Bearer {made['secret']}"}
        assert client.get("/api/me", headers=visitor).json()["role"] == "viewer"
        assert client.delete(f"/api/tokens/{made['token_id']}").status_code == 200
        assert client.get("/api/me", headers=visitor).status_code == 401
        assert client.delete("/api/users/ada").status_code == 422  # the only admin
        assert client.delete("/api/users/olaf").status_code == 200
        assert client.delete("/api/users/olaf").status_code == 404
        lines = client.get("/api/journal").json()["journal"]
    by_ada = [line["verb"] for line in lines if line["who"].startswith("ada")]
    assert by_ada == ["user remove", "token remove", "token add", "user add"]


def test_the_page_about_rest_names_every_route_and_loads_nothing_from_elsewhere(
    client: TestClient,
) -> None:
    page = client.get("/api/docs").text
    assert "src=" not in page
    assert "http" not in page.replace("https", "http").split("</style>")[1].replace("http-", "")
    for path in client.get("/api/openapi.json").json()["paths"]:
        assert f"{path}</code>" in page
