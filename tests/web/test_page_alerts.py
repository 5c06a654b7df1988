"""The page Alerts as it is served: a dead man told of at once, a rule tried while it is written, kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rig.core.clock import RealClock, SimulatedClock
from rig.store.newest_data import newest_marks
from rig.store.rule_firings import Watched, note_watched
from tests.bench.post_office import Post, web_server
from tests.bench.rule_stands import Lab
from tests.web.browsing import PHONE, confirm, keep_picture, overflow_pixels, rig_serve, visit

pytestmark = pytest.mark.xdist_group("alerts page")
HOUR_US = 3_600_000_000
DEAD = "d" * 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rig whose engine died an hour ago, and a cell that has lost its efficiency; both are alive."""
    folder = tmp_path_factory.mktemp("alerts")
    lab = Lab(folder / "rig.db", SimulatedClock(_now_us() - 2 * HOUR_US))
    lab.run(DEAD, "C1")
    lab.cycle(DEAD, 1e-3, 1e-3, 0.97e-3, 0.96e-3)
    rule = lab.rule(
        name="Dead man",
        quantity="silence",
        comparison="above",
        threshold="10 min",
        recipients=("maria",),
    )
    (mark,) = newest_marks(lab.engine, [DEAD]).values()
    seen = Watched(DEAD, mark=mark, seen_us=_now_us() - HOUR_US)
    note_watched(lab.engine, rule.rule_id, [seen])
    lab.engine.dispose()
    return folder


def _now_us() -> int:
    return RealClock().wall_us()


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[str, Post]]:
    with web_server() as web:
        notify = f"notify: [{{name: maria, from: critical, url: '{web.web_url()}'}}]\n"
        (folder / "notify.yaml").write_text(notify, encoding="utf-8")
        with rig_serve(folder, "--observe", "--notify", str(folder / "notify.yaml")) as url:
            yield url, web


@pytest.fixture
def page(browser: Browser, served: tuple[str, Post]) -> Iterator[Page]:
    with visit(browser, served[0]) as page:
        yield page


def test_an_engine_that_died_is_told_of_and_a_rule_is_tried_kept_and_broken(
    page: Page, served: tuple[str, Post]
) -> None:
    page.goto("/alerts")
    standing = page.locator("#standing article")
    expect(standing).to_contain_text("nothing has come of cell")
    assert served[1].arrived.wait(30.0)
    (told,) = served[1].posted  # by name, though it is no critical one
    assert told["title"] == "[cellrig] WARNING, channel C1: silence-dead-man"

    page.locator("#rule-threshold").fill("99")
    expect(page.locator("#rule-problems")).to_contain_text("without a unit")
    expect(page.locator("#rule-threshold")).to_have_attribute("aria-invalid", "true")
    page.locator("#rule-threshold").fill("99 %")
    page.locator("#rule-consecutive").fill("2")
    expect(page.locator("#trial-words")).to_have_text(
        "would have fired once in 30 days, on 1 of 1 run"
    )
    expect(page.locator("#trial tbody tr")).to_contain_text("96 %")
    page.locator("#rule-name").fill("Low efficiency")
    keep_picture(page, "alerts")
    page.get_by_role("button", name="Keep this rule").click()
    rule = page.get_by_role("article", name="Low efficiency", exact=True)
    expect(rule).to_contain_text("coulombic efficiency below 99 % in 2 cycles in a row")
    expect(rule.locator(".state")).to_have_text("broken by 1 run")  # at the next look of the judge
    expect(standing).to_have_count(2)

    rule.get_by_role("button", name="Switch off").click()
    expect(rule.locator(".state")).to_have_text("off")
    low = page.get_by_role("article", name="rule-low-efficiency on C1")
    low.get_by_role("button", name="Acknowledge").click()
    confirm(page, "Acknowledge", "a leaking cell")
    expect(standing).to_have_count(1)


def test_on_a_phone_the_page_is_as_wide_as_the_phone(browser: Browser, served) -> None:
    with visit(browser, served[0], viewport=PHONE) as page:
        page.goto("/alerts")
        expect(page.get_by_role("article", name="Dead man", exact=True)).to_be_visible()
        page.locator("#beginning").select_option("Resistance has doubled")
        expect(page.locator("#trial-words")).to_contain_text("would not have fired")
        assert overflow_pixels(page) <= 0
