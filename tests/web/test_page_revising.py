"""A person changes a running run at its page: sees the difference, says why, and sees it go on by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import PHONE, confirm, keep_picture, overflow_pixels, rig_serve, visit

PROTOCOL = """protocol: 1
name: two hundred cycles
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 10 s}
steps:
  - repeat: 200
    steps:
      - charge: {at: C/20, until: 4.2 V, for: 10 h}
      - rest: {for: 30 min}
      - discharge: {at: C/20, until: 2.8 V, for: 10 h}
"""
TIGHTER = (
    PROTOCOL.replace("4.3 V]", "4.25 V]")
    .replace("4.2 V", "4.15 V")
    .replace("repeat: 200", "repeat: 120")
)
WIDER = TIGHTER.replace("4.25 V]", "4.35 V]")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("revising")
    with rig_serve(folder, "--bench", "sim", "--speed", "20") as address:
        body = {"text": PROTOCOL, "channels": ["C1"]}
        answer = httpx.post(f"{address}/api/runs", json=body, timeout=60)
        assert answer.status_code == 201, answer.text
        yield address


def test_a_run_is_changed_after_its_difference_was_seen_and_told_to_end_after_its_cycle(
    browser: Browser, url: str
) -> None:
    with visit(browser, url) as page:
        page.goto("/channel/C1")
        expect(page.locator(".headline .state")).to_have_text("running")
        _change(page)
        _end_after_the_cycle(page)
    with visit(browser, url, viewport=PHONE, color_scheme="dark") as phone:
        phone.goto("/channel/C1")
        phone.locator("[data-verb=revise]").click()
        dialog = phone.get_by_role("dialog")
        dialog.locator("#revised").fill(WIDER)
        dialog.locator("#show-difference").click()
        expect(dialog.locator("#difference")).to_contain_text("▲ wider")
        expect(dialog.locator("#difference")).to_contain_text("rig users add")
        dialog.locator("input[name=reason]").fill("let me")
        expect(dialog.get_by_role("button", name="Apply")).to_be_disabled()
        assert overflow_pixels(phone) == 0
        keep_picture(phone, "revise-phone")


def _change(page: Page) -> None:
    page.locator("[data-verb=revise]").click()
    dialog = page.get_by_role("dialog")
    text, difference = dialog.locator("#revised"), dialog.locator("#difference")
    expect(text).to_have_value(PROTOCOL)
    apply = dialog.get_by_role("button", name="Apply")
    text.fill(TIGHTER.replace("for: 30 min", "for: 30"))
    dialog.locator("#show-difference").click()
    expect(difference).to_contain_text("30 min")
    text.fill(TIGHTER)
    dialog.locator("#show-difference").click()
    expect(difference).to_contain_text("4.3 V -> 4.25 V")
    expect(difference).to_contain_text("▼ tighter")
    expect(difference).to_contain_text("200 -> 120 times")
    expect(apply).to_be_disabled()  # not without a reason
    dialog.locator("input[name=reason]").fill("gas above 4.2 V")
    keep_picture(page, "revise")
    apply.click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".headline")).to_contain_text("revision 2")
    expect(page.locator(".steps")).to_contain_text("repeat 120 times")
    expect(page.locator("[aria-current=step]")).to_contain_text("charge at C/20 until 4.15 V")


def _end_after_the_cycle(page: Page) -> None:
    page.locator("[data-verb='stop after cycle']").click()
    confirm(page, "Stop after cycle", "the chamber is needed")
    expect(page.locator("#next")).to_contain_text("stops when this cycle has ended")
    resume = page.locator("[data-verb=resume]")
    expect(resume).not_to_have_attribute("aria-disabled", "true")
    keep_picture(page, "leaving")
    resume.click()
    confirm(page, "Resume")
    expect(page.locator("#next")).not_to_contain_text("stops when")
