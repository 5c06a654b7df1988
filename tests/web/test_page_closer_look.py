"""One story: a cell is made, its protocol rehearsed; then cycles compared and a run analysed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.web.browsing import PHONE, keep_picture, overflow_pixels, rig_serve, visit
from tests.web.houses import PROTOCOL, copied


@pytest.mark.slow
def test_a_cell_is_made_and_its_protocol_rehearsed_then_its_cycles_are_compared(
    browser: Browser, finished: Path, tmp_path: Path
) -> None:
    copied(finished, tmp_path)
    with rig_serve(tmp_path, "--bench", "sim") as url, visit(browser, url) as page:
        page.goto("/start?channel=C2")
        page.locator("#protocol").fill(PROTOCOL)
        page.get_by_role("button", name="New cell …").click()
        form = page.locator("#cell-form")
        form.locator("[name=name]").fill("LPS-18")
        form.locator("[name=area]").fill("0.785")
        form.get_by_role("button", name="Make the cell").click()
        expect(form.get_by_role("alert")).to_contain_text("without a unit")
        expect(form.locator("[name=area]")).to_have_attribute("aria-invalid", "true")
        form.locator("[name=area]").fill("0.785 cm^2")
        form.locator("[name=capacity]").fill("2 mAh")
        form.get_by_role("button", name="Make the cell").click()
        expect(page.get_by_label("cell on C2")).to_have_value("LPS-18")
        page.locator("#rehearse:enabled").click()
        expect(page.locator("#profile-words")).to_contain_text("came to its end", timeout=60_000)
        expect(page.locator("#profile-plot .scatterlayer .trace")).to_have_count(3)
        keep_picture(page, "start-expected")
        page.locator("#protocol").fill(PROTOCOL.replace("5 min", "6 min"))
        expect(page.locator("#profile-plot")).to_be_hidden()  # it was another protocol's
        page.goto("/channel/C1")
        curves = page.locator("#curve-plot .scatterlayer .trace")
        expect(curves).to_have_count(4)  # two cycles, charge and discharge
        page.get_by_role("button", name="dQ/dV").click()
        expect(page.locator("#curve-words")).to_contain_text("not smoothed")
        expect(page.get_by_role("button", name="mAh/g")).to_be_disabled()
        page.locator("#curve-cycles").fill("2, 9")
        page.locator("#curve-cycles").press("Enter")
        expect(page.locator("#curve-words")).to_contain_text("there is no such cycle")
        page.locator("#curve-cycles").fill("last")
        page.locator("#curve-cycles").press("Enter")
        expect(curves).to_have_count(2)
        page.get_by_text("Analyse again with other settings").click()
        page.get_by_label("circuit").fill("R0-p(R1,CPE1)")
        page.get_by_role("button", name="Analyse again").click()
        expect(page.get_by_text("kept beside the earlier results")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("cell", name="circuit R0-p(R1,CPE1)")).to_be_visible()
        keep_picture(page, "channel-curves")
        page.set_viewport_size(PHONE)
        page.reload()
        expect(curves).to_have_count(4)
        assert overflow_pixels(page) <= 0
