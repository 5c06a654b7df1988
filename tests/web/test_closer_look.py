"""Through REST: cycles compared, exports with metadata, cells made, rehearsals, reports, analyses again."""

from __future__ import annotations

import io
import json
import zipfile

import pandas as pd
import pytest
from starlette.testclient import TestClient

from rig.bench.cell_record import set_limits
from rig.core.roles import Role
from tests.web.houses import PROTOCOL, let_in, visited

pytestmark = pytest.mark.xdist_group("processes")


def test_cycles_of_a_run_are_laid_over_each_other(client: TestClient) -> None:
    found = client.get("/api/runs/last/curves").json()
    assert [one["cycle_count"] for one in found["cycles"]] == [1, 2]
    assert found["cell"]["area_square_centimetre"] == pytest.approx(0.785)
    charge = found["cycles"][0]["charge"]
    assert charge["capacity_ah"][-1] == pytest.approx(2e-3 / 12, rel=0.02)  # 1C for five minutes
    assert len(charge["voltage_volt"]) <= 400
    few = client.get("/api/runs/last/curves?cycles=last&points=20&voltage_step_volt=0.02").json()
    (last,) = few["cycles"]
    assert len(last["charge"]["voltage_volt"]) <= 20
    assert last["charge"]["samples"] > 100
    refused = client.get("/api/runs/last/curves?cycles=7,x")
    assert refused.status_code == 422
    assert len(refused.json()["problems"]) == 2
    assert client.get("/api/runs/last/curves?voltage_step_volt=9").status_code == 422
    assert client.get("/api/runs/nobody/curves").status_code == 404


def test_a_run_that_is_no_pellets_has_no_arrhenius_plot_and_says_why(client: TestClient) -> None:
    found = client.get("/api/runs/last/arrhenius?convention=ln_sigma").json()
    assert (found["fit"], found["points"], found["convention"]) == (None, [], "ln_sigma")
    assert "cycles" in found["problem"]
    assert client.get("/api/runs/last/arrhenius?convention=ln").status_code == 422


def test_a_table_of_the_battery_data_format_comes_with_its_metadata(client: TestClient) -> None:
    answer = client.get("/api/runs/last/export?format=bdf-csv&with_metadata=true")
    assert ".bdf.csv.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        table, beside = sorted(packed.namelist(), key=len)
        assert beside == f"{table}.metadata.json"
        rows = len(pd.read_csv(io.BytesIO(packed.read(table))))
        metadata = json.loads(packed.read(beside))
    assert metadata["rows"] == rows
    assert metadata["cell"]["name"] == "LPS-17"
    assert client.get("/api/runs/last/export?format=csv&with_metadata=true").status_code == 422


def test_a_cell_is_made_once_looked_at_and_changed(client: TestClient) -> None:
    fields = {"chemistry": "NMC | LPS | Li", "area": "0.785 cm^2", "mass": "12 mg"}
    body = {"name": "LPS/18 µ", "fields": fields, "reason": "new batch"}
    made = client.post("/api/cells", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["mass_gram"] == pytest.approx(0.012)
    assert client.post("/api/cells", json=body).status_code == 409
    path = "/api/cells/LPS/18%20µ"
    changed = client.patch(path, json={"fields": {"capacity": "2 mAh"}})
    assert changed.json()["capacity_ah"] == pytest.approx(0.002)
    assert client.get(path).json() == changed.json()
    listed = client.get("/api/cells?q=lps").json()
    assert {one["name"] for one in listed["cells"]} == {"LPS-17", "LPS/18 µ"}
    assert listed["fields"]["area"]["example"] == "0.785 cm^2"
    wrong = client.post("/api/cells", json={"name": "", "fields": {"area": "3", "mas": "1 g"}})
    assert wrong.status_code == 422
    assert [one["where"] for one in wrong.json()["problems"]] == ["name", "area", "mas"]
    assert client.get("/api/cells/nobody").status_code == 404
    assert client.patch("/api/cells/nobody", json={"fields": {}}).status_code == 404
    lines = client.get("/api/journal").json()["journal"]
    assert [(one["verb"], one["argument"], one["reason"]) for one in lines] == [
        ("cell change", "LPS/18 µ", ""),
        ("cell add", "LPS/18 µ", "new batch"),
    ]


def test_a_protocol_is_rehearsed_for_one_channel(client: TestClient) -> None:
    body = {"text": PROTOCOL, "channels": ["C2"], "cells": {"C2": "LPS-17"}}
    found = client.post("/api/rehearsals", json=body)
    assert found.status_code == 200, found.text
    profile = found.json()
    assert (profile["words"], profile["complete"]) == ("expected, simulated cell", True)
    assert profile["cycles"] == 2
    assert len(profile["columns"]["voltage_volt"]) == len(profile["columns"]["test_time_second"])
    assert client.get("/api/runs").json()["total"] == 1  # no run has come of it
    for wrong in (
        {"channels": []},
        {"channels": ["C1", "C2"]},
        {"channels": ["D9"]},
        {"text": "x"},
    ):
        assert client.post("/api/rehearsals", json=body | wrong).status_code == 422


def test_a_check_knows_the_cells_on_the_channels_as_a_start_will(
    client: TestClient, url: str
) -> None:
    unrated = PROTOCOL.replace(", capacity: 2 mAh", "")
    for name in ("rated", "narrow"):
        cell = {"name": name, "fields": {"capacity": "2 mAh"}}
        assert client.post("/api/cells", json=cell).status_code == 201
    set_limits(url, "narrow", "{voltage: [3 V, 4 V]}")
    body = {"text": unrated, "channels": ["C1", "C2"]}
    assert client.post("/api/check", json=body).status_code == 422
    assert client.post("/api/check", json=body | {"cells": {"C1": "rated"}}).status_code == 422
    both = body | {"cells": {"C1": "rated", "C2": "rated"}}
    assert client.post("/api/check", json=both).status_code == 200
    refused = client.post("/api/check", json=both | {"cells": {"C1": "rated", "C2": "narrow"}})
    assert "4 V" in refused.json()["detail"], refused.text


def test_a_run_is_analysed_again_by_name_and_the_result_is_kept_beside_the_others(url: str) -> None:
    operator, viewer = let_in(url, "olaf", Role.OPERATOR), let_in(url, "vera", Role.VIEWER)
    with visited(url) as (client, _):
        path = "/api/runs/last/analyses"
        assert client.get("/api/analyses", headers=viewer).json()["analyses"]["fade"]["law"][
            "choices"
        ]
        body = {"kind": "eis", "settings": {"circuit": "R0-p(R1,CPE1)", "spectrum": "1"}}
        assert client.post(path, json=body, headers=viewer).status_code == 403
        kept = client.post(path, json=body | {"reason": "one arc"}, headers=operator)
        assert kept.status_code == 201, kept.text
        (row,) = client.get("/api/runs/last/results", headers=viewer).json()["results"]
        assert row["values"]["settings"] == body["settings"]
        assert row["values"]["who"] == "olaf (token olaf-phone)"
        assert row["values"]["spectra"][0]["fit"]["circuit"] == "R0-p(R1,CPE1)"
        (line,) = client.get("/api/runs/last/journal", headers=viewer).json()["journal"]
        assert (line["verb"], line["reason"], line["outcome"]) == ("analyse", "one arc", "done")
        few = client.post(path, json={"kind": "fade"}, headers=operator)
        assert few.status_code == 422
        assert "fewer than five" in few.json()["detail"]
        bad = client.post(
            path, json={"kind": "eis", "settings": {"cirkit": "R0"}}, headers=operator
        )
        assert bad.status_code == 422
        assert len(bad.json()["problems"]) == 2


def test_a_report_is_made_on_demand_as_a_document_that_can_do_nothing(url: str) -> None:
    viewer = let_in(url, "vera", Role.VIEWER)
    with visited(url) as (client, _):
        assert client.get("/api/runs/last/report").status_code == 401
        report = client.get("/api/runs/last/report", headers=viewer)
        assert report.status_code == 200
        assert "LPS-17" in report.text
        assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert client.get("/api/runs/last/results", headers=viewer).json()["results"] == []
        assert client.get("/api/runs/nobody/report", headers=viewer).status_code == 404
