"""A person at the page: starts a run, sees it live, pauses, skips, stops it, sees to its alarm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from rig.core.alarms import Severity, raise_alarm
from rig.store.alarms import open_alarms, raise_now
from rig.store.database import open_database
from tests.postgres import wait_until
from tests.web.browsing import PHONE, confirm, keep_picture, overflow_pixels, rig_serve, visit
from tests.web.test_page_files import PAGES

PROTOCOL = """protocol: 1
name: rests and a charge
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [-1.5 V, 4.3 V], current: 10 mA}
record: {every: 1 s}
steps:
  - rest: {for: 9 h}
  - charge: {at: C/20, until: 4.2 V, for: 10 h}
"""
WRONG = PROTOCOL.replace("9 h", "9").replace("charge", "chrage")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A simulated bench twenty times faster than life, with an engine in a process of its own."""
    with rig_serve(folder, "--bench", "sim", "--speed", "20") as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visit(browser, url) as page:
        yield page


def begin(url: str, *channels: str) -> None:
    """Have runs on these channels, begun unless they are there."""
    shown = {one["channel"]: one for one in httpx.get(f"{url}/api/channels").json()["channels"]}
    wanted = [name for name in channels if shown[name]["state"] != "running"]
    for name in wanted:
        if shown[name]["state"] not in {"free", "finished", "stopped"}:
            order = {"verb": "stop", "reason": "the next test"}
            httpx.post(f"{url}/api/channels/{name}/orders", json=order, timeout=60)
    if wanted:
        wait_until(lambda: is_begun(url, wanted))


def is_begun(url: str, wanted: list[str]) -> bool:
    """Ask for runs; not yet where the last one is over, and its engine still closes the channel's ports."""
    body = {"text": PROTOCOL, "channels": wanted}
    answer = httpx.post(f"{url}/api/runs", json=body, timeout=60)
    if "is busy: run" in answer.text and "is stopped" in answer.text:
        return False
    assert answer.status_code == 201, answer.text
    return True


def tile(page: Page, channel: str):
    return page.locator(f"[data-channel={channel}]")


def test_a_protocol_is_started_only_after_it_was_checked_as_it_stands(page: Page) -> None:
    page.goto("/start")
    start = page.locator("#start")
    page.locator("[data-channel=C2]").get_by_role("checkbox").check()
    page.get_by_label("cell on C2").fill("LPS-18")
    page.locator("#protocol").fill(WRONG)
    expect(page.locator("#problems")).to_contain_text("did you mean charge")
    expect(page.locator("#problems")).to_contain_text("protocol.yaml:")
    expect(start).to_be_disabled()
    page.locator("#protocol").fill(PROTOCOL)
    expect(page.locator("#check")).to_contain_text("rest for 9 h")
    expect(page.locator("#duration")).to_contain_text("about 19 h")
    keep_picture(page, "start")
    expect(start).to_be_enabled()
    start.click()
    expect(page).to_have_url(re.compile("/channel/C2$"))
    expect(page.locator(".headline")).to_contain_text("LPS-18")
    expect(page.locator(".headline .state")).to_have_text("running")
    expect(page.locator("[aria-current=step]")).to_have_text("rest for 9 h")


def test_the_wall_shows_a_running_bench_live(page: Page, url: str) -> None:
    begin(url, "C1")
    page.goto("/")
    shown = tile(page, "C1")
    expect(shown.locator(".state")).to_have_text("running")
    expect(shown.locator(".badge")).to_have_text("SIM")
    expect(shown.locator(".tile-next")).to_contain_text("of 9 h 00 min")
    expect(shown.locator(".tile-volt")).to_have_text(re.compile(r"^\d\.\d{4}V$"))
    expect(shown.locator(".spark path")).to_have_attribute("d", re.compile("^M"))
    before = shown.locator(".tile-next").inner_text()
    expect(shown.locator(".tile-next")).not_to_have_text(before)  # without anybody's doing
    expect(page.locator("#link-state")).to_have_text("live")
    keep_picture(page, "wall")


def test_a_run_is_paused_resumed_skipped_and_stopped_with_reasons(page: Page, url: str) -> None:
    begin(url, "C1")
    page.goto("/channel/C1")
    state, verbs = page.locator(".headline .state"), page.locator("#verbs")
    expect(state).to_have_text("running")
    resume = verbs.locator("[data-verb=resume]")
    expect(resume).to_have_attribute("aria-disabled", "true")
    verbs.locator("[data-verb=pause]").click()
    confirm(page, "Pause", "lunch")
    expect(state).to_have_text("paused")
    skip = verbs.locator("[data-verb='pause after step']")
    expect(page.locator("#next")).to_contain_text("lunch")
    resume.click()
    confirm(page, "Resume")
    expect(state).to_have_text("running")
    verbs.locator("[data-verb=skip]").click()
    page.get_by_role("dialog").get_by_role("button", name="Skip step").click()
    expect(page.get_by_role("dialog")).to_be_visible()  # not without a reason
    confirm(page, "Skip step", "long enough")
    expect(page.locator("[aria-current=step]")).to_contain_text("charge at C/20")
    verbs.locator("[data-verb=stop]").click()
    confirm(page, "Stop", "test over")
    expect(state).to_have_text("stopped")
    expect(skip).to_have_attribute("aria-disabled", "true")
    skip.focus()
    expect(page.locator(".verb-why")).to_contain_text("a run that is stopped cannot")
    expect(page.get_by_text("stop: test over")).to_be_visible()
    verbs.locator("[data-verb=stop]").focus()
    expect(page.locator(".verb-why")).to_contain_text(
        "it is stopped already: there is nothing to stop"
    )
    verbs.locator("[data-verb=safe]").focus()
    expect(page.locator(".verb-why")).to_contain_text("The run is over already")
    keep_picture(page, "stopped")


def test_an_alarm_comes_first_and_goes_when_somebody_has_seen_to_it(
    page: Page, url: str, folder: Path
) -> None:
    begin(url, "C2")
    engine = open_database(f"sqlite:///{folder / 'rig.db'}")
    try:
        run_id = httpx.get(f"{url}/api/channels/C2").json()["run_id"]
        raise_now(
            engine,
            raise_alarm(
                Severity.WARNING,
                "sensor-silent",
                "the load cell is silent",
                raised_us=1_800_000_000_000_000,
                channel="C2",
                run_id=run_id,
            ),
        )
        page.goto("/")
        expect(page.get_by_role("alert")).to_contain_text("C2: the load cell is silent")
        expect(page.locator(".tile").first).to_have_attribute("data-channel", "C2")
        expect(tile(page, "C2").locator(".tile-next")).to_have_text("the load cell is silent")
        page.get_by_role("button", name="Acknowledge").click()
        confirm(page, "Acknowledge", "plugged in again")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert open_alarms(engine) == []
    finally:
        engine.dispose()


def test_ticked_channels_are_paused_together(page: Page, url: str) -> None:
    begin(url, "C1", "C2")
    page.goto("/")
    for name in ("C1", "C2"):
        tile(page, name).get_by_role("checkbox").check()
    group = page.locator("#group")
    expect(group).to_contain_text("2 channels")
    group.get_by_role("button", name="Pause").click()
    confirm(page, "Pause 2 channels")
    for name in ("C1", "C2"):
        expect(tile(page, name).locator(".state")).to_have_text("paused")


def test_all_safe_wants_to_be_held_and_then_ends_every_run(page: Page, url: str) -> None:
    begin(url, "C1", "C2")
    page.goto("/")
    button = page.locator("#all-safe")
    expect(tile(page, "C1").locator(".state")).to_have_text("running")
    button.click()  # a stray click does nothing
    expect(button).to_have_text("All safe: hold")
    expect(tile(page, "C1").locator(".state")).to_have_text("running")
    button.focus()
    page.keyboard.down("Enter")  # by keyboard as well as by hand
    for name in ("C1", "C2"):
        expect(tile(page, name).locator(".state")).to_have_text("stopped")
    page.keyboard.up("Enter")


def test_a_phone_shows_every_page_without_scrolling_sideways(browser: Browser, url: str) -> None:
    begin(url, "C2")
    too_wide = {}
    with visit(browser, url, viewport=PHONE) as page:
        for path in (path.replace("C1", "C2") for path in PAGES):
            page.goto(path)
            expect(page.locator("main > *").first).to_be_attached()
            page.wait_for_load_state("load")
            if path == "/":
                expect(tile(page, "C2").locator(".state")).to_be_visible()
                keep_picture(page, "phone")
            if path.startswith("/channel"):
                expect(page.locator("#time-plot svg").first).to_be_visible()
            if overflow_pixels(page) > 0:
                too_wide[path] = overflow_pixels(page)
    assert too_wide == {}
