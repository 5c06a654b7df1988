"""Every page for everybody: what axe-core finds, every control by keyboard, focus in sight, no motion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rig.core.alarms import Severity, raise_alarm
from rig.store.alarms import open_alarms, raise_now
from rig.store.database import open_database
from tests.web.browsing import visit
from tests.web.houses import copied, served
from tests.web.test_page_files import PAGES

GRAVE = {"serious", "critical"}
# What is there when a page has got its data; another page has something in it.
READY = {
    "/": ".tile .state",
    "/channel/C1": "#time-plot svg",
    "/run/last": "#time-plot svg",
    "/runs": "tbody tr",
    "/health": "#runs tbody tr",
}


@pytest.fixture
def page(browser: Browser, finished: Path, tmp_path: Path) -> Iterator[Page]:
    with served(copied(finished, tmp_path)) as (address, _), visit(browser, address) as page:
        yield page


def opened(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator(READY.get(path, "main > *")).first).to_be_visible()


def grave(page: Page, *rules: str) -> list[str]:
    """Return what axe-core calls serious or critical (of these rules): the rule, where, and why."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}"
        for one in Axe().run(page, options=options).response["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


@pytest.mark.timeout(600)  # axe-core looks at each element of each page
def test_axe_finds_nothing_serious_on_any_page_light_or_dark(page: Page) -> None:
    found = {}
    for path in PAGES:
        page.emulate_media(color_scheme="light")
        opened(page, path)
        found[path, "light"] = grave(page)
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        found[path, "dark"] = grave(page, "color-contrast")
    assert {place: faults for place, faults in found.items() if faults} == {}
    page.locator("main").evaluate("""main => {
        const [picture, faint] = [document.createElement("img"), document.createElement("p")];
        faint.textContent = "hardly to be seen";
        faint.style.cssText = "color: #888; background: #777";
        main.append(picture, faint);
    }""")
    assert {one.partition(" at ")[0] for one in grave(page)} == {"image-alt", "color-contrast"}


# Everything that can be pressed or filled, and is shown. Pages fill up, so it is asked for again.
MISSED = """() => {
    globalThis.reached ??= new WeakSet();
    const all = document.querySelectorAll("a[href], button, input, select, textarea, summary");
    return [...all].filter(one => !one.disabled && one.checkVisibility() && !globalThis.reached.has(one))
        .map(one => one.outerHTML.slice(0, 120));
}"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    globalThis.reached.add(one);
    let seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    for (let at = one; at; at = at.parentElement) seen &&= Number(getComputedStyle(at).opacity) > 0.5;
    return seen || one === document.body ? "" : one.outerHTML.slice(0, 120);
}"""
ROUNDS = 3  # a page that is still filling up has controls behind where one was


def test_every_control_is_reached_by_tab_and_its_focus_is_seen(page: Page) -> None:
    faults = {}
    for path in PAGES:
        opened(page, path)
        missed, unseen = _tabbed_through(page)
        if missed or unseen:
            faults[path] = {"missed": missed, "without a visible focus": unseen}
    assert faults == {}


def _tabbed_through(page: Page) -> tuple[list[str], list[str]]:
    """Press Tab until it has been everywhere; return controls missed, and those whose focus is not seen."""
    unseen, presses = [], 2
    for _ in range(ROUNDS):
        missed = page.evaluate(MISSED)
        presses += len(missed)
        for _ in range(presses if missed else 0):
            page.keyboard.press("Tab")
            unseen.append(page.evaluate(FOCUSED))
    return page.evaluate(MISSED), [one for one in unseen if one]


def test_an_alarm_is_seen_to_without_a_mouse(
    browser: Browser, finished: Path, tmp_path: Path
) -> None:
    url = copied(finished, tmp_path)
    engine = open_database(url)
    raised = raise_alarm(
        Severity.WARNING, "sensor-silent", "the load cell is silent", raised_us=1, channel="C1"
    )
    try:
        raise_now(engine, raised)
        with served(url) as (address, _), visit(browser, address, reduced_motion="reduce") as page:
            _see_to_it(page)
        assert open_alarms(engine) == []
    finally:
        engine.dispose()


def _see_to_it(page: Page) -> None:
    opened(page, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    seen_to = page.get_by_role("button", name="Acknowledge")
    expect(seen_to).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # thinks better of it, and is where he was
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(seen_to).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.type("plugged in again")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    hold = page.locator("#all-safe")
    hold.focus()
    page.keyboard.down("Space")  # for those whom motion makes ill the bar fills in steps
    expect(hold).to_have_class(re.compile("holding"))
    timing = "one => getComputedStyle(one, '::before').transitionTimingFunction"
    assert hold.evaluate(timing).startswith("steps")
    page.keyboard.up("Space")  # too early: nothing is done
    expect(hold).not_to_have_class(re.compile("holding"))
    expect(hold).to_have_text("All safe: hold")
