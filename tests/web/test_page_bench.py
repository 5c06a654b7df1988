"""A person at the bench page: takes a channel by hand, looks at its cell, and gives it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import PHONE, keep_picture, overflow_pixels, rig_serve, visit
from tests.web.test_orders import wait_for

pytestmark = pytest.mark.xdist_group("bench page")

SOAK = """protocol: 1
name: at temperature
steps:
  - set_temperature: {to: $wanted, within: 1 K, soak: 9 h, timeout: 30 h}
variables: {wanted: 40 degC}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulated bench with a run at 40 degC, and one that waits for 60 degC, in one chamber."""
    folder: Path = tmp_path_factory.mktemp("bench")
    with rig_serve(folder, "--bench", "sim", "--speed", "20") as address:
        for channel, wanted in (("P1", "40 degC"), ("P2", "60 degC")):
            body = {"text": SOAK, "channels": [channel], "variables": {"wanted": wanted}}
            answer = httpx.post(f"{address}/api/runs", json=body, timeout=120)
            assert answer.status_code == 201, answer.text
        yield address


def leases(url: str) -> list[str]:
    return [one["channel"] for one in httpx.get(f"{url}/api/hand").json()["leases"]]


def test_a_cell_is_looked_at_by_hand_and_given_back_when_the_page_is_closed(
    browser: Browser, url: str
) -> None:
    with visit(browser, url) as page:
        page.goto("/bench")
        chamber = page.locator("[data-chamber=chamber-p]")
        expect(chamber).to_contain_text("P1 holds it at 40.0 °C")
        expect(chamber).to_contain_text("P2 waits for 60.0 °C")
        hand = page.locator("#hand")
        hand.get_by_label("channel").select_option("C1")
        hand.get_by_label("cell").fill("LPS-21")
        hand.get_by_label("why").fill("a new cell")
        hand.get_by_role("button", name="Take it").click()
        expect(hand).to_contain_text("C1 is yours")
        hand.get_by_label("pulse").fill("1 mA")
        hand.locator("article", has_text="Lead check").get_by_role("button").click()
        result = page.locator(".hand-result").first
        expect(result).to_contain_text("leads ok")
        assert httpx.get(f"{url}/api/channels/C1").json()["cell"] == "LPS-21"
        expect(result.locator("svg")).to_be_visible()
        expect(page.locator("#instruments")).to_contain_text("Keithley 2450")
        keep_picture(page, "bench")
        page.evaluate("switchTheme()")
        keep_picture(page, "bench-other")
        page.set_viewport_size(PHONE)
        assert overflow_pixels(page) <= 0
        keep_picture(page, "bench-phone")
        assert leases(url) == ["C1"]
        page.goto("/health")  # the page is left: the channel is everybody's again
        expect(page.locator("#answer")).not_to_contain_text("looking")
    wait_for(lambda: leases(url) == [])
    journal = httpx.get(f"{url}/api/journal").json()["journal"]
    assert journal[0]["verb"] == "give back"
    assert journal[0]["reason"] == "the page was closed"


def test_an_instrument_is_identified_and_the_cells_of_a_chamber_are_stopped_by_holding(
    browser: Browser, url: str
) -> None:
    with visit(browser, url) as page:
        page.goto("/bench")
        page.get_by_role("button", name="Identify smu-c2").click()
        expect(page.locator("#notices")).to_contain_text("Keithley 2450, serial")
        stop = page.locator("[data-chamber=chamber-p]").get_by_role("button")
        stop.click()  # a click is not enough
        expect(stop).to_have_text("Stop its cells: hold")
        stop.dispatch_event("pointerdown")
        expect(page.locator("#notices")).to_contain_text("stop: P1, P2 done")
    shown = {one["channel"]: one for one in httpx.get(f"{url}/api/channels").json()["channels"]}
    assert [shown[name]["state"] for name in ("P1", "P2")] == ["stopped"] * 2


def test_a_channel_held_by_hand_says_so_everywhere_and_all_safe_ends_it(
    browser: Browser, url: str
) -> None:
    """On its tile, on its page, and where a run would be started: there it cannot be chosen."""
    lease = httpx.post(f"{url}/api/hand", json={"channel": "C2"}, timeout=60).json()
    warm = {"temperature_celsius": 31}
    held = httpx.post(f"{url}/api/hand/{lease['lease_id']}/temperature", json=warm, timeout=60)
    assert held.status_code == 200, held.text
    own, chamber = f"by hand: {lease['owner']}", f"chamber by hand: {lease['owner']}, 31 degC"
    with visit(browser, url) as page:
        page.goto("/")
        expect(page.locator("[data-channel=C2] .tile-hand")).to_contain_text(own)
        expect(page.locator("[data-channel=C1] .tile-hand")).to_contain_text(chamber)
        pictures(page, "held-wall")
        for name, words in (("C1", chamber), ("C2", own)):
            page.goto(f"/channel/{name}")
            expect(page.locator(".by-hand")).to_contain_text(words)
            pictures(page, f"held-channel-{name}")
        page.goto("/start?channel=C2")
        for name, words in (("C1", chamber), ("C2", own)):
            choice = page.locator(f"[data-channel={name}]")
            expect(choice.locator(".by-hand")).to_contain_text(words)
            expect(choice.get_by_role("checkbox")).to_be_disabled()
            expect(choice.get_by_role("checkbox")).not_to_be_checked()
        expect(page.locator("[data-channel=P1] .by-hand")).to_be_hidden()
        pictures(page, "held-start")
        page.locator("#all-safe").dispatch_event("pointerdown")
        expect(page.locator("#notices")).to_contain_text(
            f"no longer by hand: C2 ({lease['owner']})"
        )
        keep_picture(page, "held-no-longer")
        for name in ("C1", "C2"):
            expect(page.locator(f"[data-channel={name}] .by-hand")).to_be_hidden()
            expect(page.locator(f"[data-channel={name}]").get_by_role("checkbox")).to_be_enabled()
    assert leases(url) == []


def pictures(page: Page, name: str) -> None:
    keep_picture(page, name)
    page.evaluate("switchTheme()")
    keep_picture(page, f"{name}-other")
