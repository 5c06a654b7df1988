"""Data on the page: a million samples zoomed to the spike, spectra judged, runs compared, a server away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from rig.store.database import open_database
from tests.web.browsing import DESK, keep_picture, rig_serve, visit
from tests.web.houses import copied

MILLION = 1_000_000
SPIKE_SECOND = 654_321


@pytest.fixture(scope="module")
def folder(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run, and one of a million seconds with a spike of one sample in it."""
    folder = tmp_path_factory.mktemp("data")
    engine = open_database(copied(finished, folder))
    try:
        _add_long_run(engine)
    finally:
        engine.dispose()
    return folder


def _add_long_run(engine) -> None:
    """Copied by the database itself, from one row: quicker than a million rows sent to it."""
    with engine.begin() as connection:
        names = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(run)")]
        values = ", ".join(
            {"run_id": "'million'", "channel": "'P1'"}.get(name, name) for name in names
        )
        connection.exec_driver_sql(
            f"INSERT INTO run ({', '.join(names)}) SELECT {values} FROM run LIMIT 1"
        )
        told = connection.exec_driver_sql("PRAGMA table_info(sample)").fetchall()
        given = {
            "run_id": "'million'",
            "seq": "n",
            "test_time_second": "n * 1.0",
            "voltage_volt": f"CASE n WHEN {SPIKE_SECOND} THEN 4.9 ELSE 3.0 + (n % 5000) / 5e3 END",
            "current_ampere": "0.001",
        }
        columns = ", ".join(row[1] for row in told)
        chosen = ", ".join(given.get(row[1], f"s.{row[1]}") for row in told)
        connection.exec_driver_sql(
            f"WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted "
            f"WHERE n < {MILLION - 1}) INSERT INTO sample ({columns}) SELECT {chosen} FROM counted, "
            f"(SELECT * FROM sample LIMIT 1) AS s"
        )


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with rig_serve(folder, "--observe") as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visit(browser, url) as page:
        yield page


def test_a_million_samples_are_shown_thinned_and_zoomed_to_every_one(page: Page) -> None:
    page.goto("/run/million")
    plot = page.locator("#time-plot")
    # Read once, whole, into the overview; from then on each window is there at once.
    expect(plot).to_have_attribute("data-in-window", str(MILLION), timeout=60_000)
    assert int(plot.get_attribute("data-shown") or 0) <= 3000
    shown = plot.evaluate("plot => Math.max(...plot.data[0].y)")
    assert shown == 4.9  # one sample of a million
    _drag(page, plot, 0.60, 0.70)
    expect(plot).not_to_have_attribute("data-in-window", str(MILLION))
    inside = int(plot.get_attribute("data-in-window") or 0)
    assert 50_000 < inside < 150_000
    # A relayout as a person's second drag makes it: to the hour around the spike.
    hours = (SPIKE_SECOND / 3600 - 0.1, SPIKE_SECOND / 3600 + 0.1)
    plot.evaluate("(plot, range) => Plotly.relayout(plot, {'xaxis.range': range})", list(hours))
    plot.evaluate(
        "(plot, [a, b]) => Plotly.relayout(plot, {'xaxis.range[0]': a, 'xaxis.range[1]': b})",
        list(hours),
    )
    expect(plot).to_have_attribute("data-in-window", "721")
    expect(plot).to_have_attribute("data-shown", "721")
    page.get_by_role("button", name="all", exact=True).click()
    expect(plot).to_have_attribute("data-in-window", str(MILLION))


def _drag(page: Page, plot, begin: float, end: float) -> None:
    """Draw a window with the mouse over the topmost panel."""
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


def test_a_run_shows_its_spectrum_with_fit_and_verdict_and_its_cycles(page: Page) -> None:
    page.goto("/channel/C1")
    expect(page.locator(".headline .state")).to_have_text("finished")
    expect(page.locator("#verdict")).to_contain_text("Kramers-Kronig:")
    expect(page.locator("#nyquist-plot .scatterlayer .trace").first).to_be_visible()
    expect(page.locator("[data-title^='Download plot']").first).to_be_attached()
    expect(page.locator("[data-title^=Share]")).to_have_count(0)  # with a server of Plotly's
    expect(page.locator("#cycle-plot .scatterlayer .trace").first).to_be_visible()
    expect(page.locator("#curve-plot .scatterlayer .trace")).to_have_count(4)  # 2 x to and fro
    expect(page.get_by_text("protocol finished").first).to_be_visible()
    keep_picture(page, "channel")


def test_runs_are_found_compared_and_exported(page: Page) -> None:
    page.goto("/runs")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("#search").fill("million")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("#search").fill("")
    expect(page.locator("tbody tr")).to_have_count(2)
    for tick in page.locator("tbody").get_by_role("checkbox").all():
        tick.check()
    expect(page.locator("#compare-plot .scatterlayer .trace")).to_have_count(2)
    expect(page.locator("#beside section")).to_have_count(2)
    keep_picture(page, "runs")
    with page.expect_download() as begun:
        links = page.locator("#beside section").filter(has_not_text="million")
        links.get_by_role("link", name="plain columns").last.click()
    assert begun.value.suggested_filename.endswith(".csv")


def test_health_says_whether_anything_was_lost(page: Page) -> None:
    page.goto("/health")
    expect(page.locator("#answer")).not_to_have_text("looking …")
    expect(page.locator("#runs tbody tr").first).to_contain_text("C1")


@pytest.mark.slow
def test_a_lost_connection_is_told_and_comes_back_by_itself(browser: Browser, folder: Path) -> None:
    with rig_serve(folder, "--observe") as address:
        context = browser.new_context(viewport=DESK)
        page = context.new_page()
        page.goto(address)
        expect(page.locator("[data-channel=C1]")).to_be_visible()
    port = address.rpartition(":")[2]
    expect(page.locator("#link-state")).to_have_text("no connection")
    expect(page.locator("#notice-lost")).to_contain_text("What you see is old")
    expect(page.locator("[data-channel=C1]")).to_be_visible()  # and is still there to be seen
    page.evaluate("globalThis.same = true")
    with rig_serve(folder, "--observe", "--port", port):
        expect(page.locator("#link-state")).to_have_text("live")
        expect(page.locator("#notice-lost")).to_have_count(0)
        assert page.evaluate("globalThis.same") is True  # nobody has loaded it again
        assert httpx.get(f"{address}/healthz").status_code == 200
        context.close()
