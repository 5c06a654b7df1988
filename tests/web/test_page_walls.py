"""Walls of 64 and 256 channels and of two rigs: all in sight, trouble first, each state in a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import PHONE, keep_picture, overflow_pixels, visit
from tests.web.houses import HandClock, served
from tests.web.walls import EVENING, channel_names, fill_wall, held_by_hand

SCREEN = {"width": 1920, "height": 1080}
# On a 55-inch screen of 1920 pixels (1218 mm wide) at three metres. Good eyes just tell letters of
# five arc minutes (Snellen, 20/20): wanted is twice that for name and voltage, 1.5 times for the word.
MM_PER_PIXEL, CAPITAL_EM, ARC_MINUTE_MM = 1218 / 1920, 0.72, 3000 * 0.000290888
SNELLEN = 5.0


@contextmanager
def wall(
    browser: Browser, folder: Path, count: int, *rigs: str, **window: object
) -> Iterator[Page]:
    """A wall that somebody looks at from another computer: no lock of it lies beside this file."""
    url = f"sqlite:///{folder / 'rig.db'}"
    fill_wall(url, count, rigs or ("labpc1",))
    with served(url, None, clock=HandClock()) as (address, house):
        house.live.near.store = ""
        with visit(browser, address, **{"viewport": SCREEN, **window}) as page:
            page.goto("/")
            expect(page.locator(".tile")).to_have_count(count * max(1, len(rigs)))
            yield page


def arc_minutes(page: Page, selector: str) -> float:
    """Return how large the smallest capital of these looks on the wall, from three metres."""
    pixels = page.locator(selector).evaluate_all(
        "all => Math.min(...all.map(one => parseFloat(getComputedStyle(one).fontSize)))"
    )
    return float(pixels) * CAPITAL_EM * MM_PER_PIXEL / ARC_MINUTE_MM


def cut_off(page: Page, selector: str) -> list[str]:
    """Return the texts that do not fit where they stand."""
    return page.locator(selector).evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    )


def shown_words(page: Page) -> list[str]:
    """Return the state's word that each tile shows, long or short, in the order of the tiles."""
    return page.locator(".tile .state").evaluate_all(
        """all => all.map(badge => {
            const long = badge.querySelector("span").checkVisibility() ? badge.textContent : "";
            const short = getComputedStyle(badge, "::after").content;
            return long || (short === "none" ? "" : short.replaceAll('"', ""));
        })"""
    )


def order(page: Page) -> list[str]:
    return page.locator(".tile").evaluate_all("all => all.map(one => one.dataset.channel)")


def test_sixty_four_channels_are_read_from_three_metres_trouble_first_and_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    with wall(browser, tmp_path, 64) as page:
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert overflow_pixels(page) <= 0
        assert arc_minutes(page, ".tile-name") >= 2 * SNELLEN
        assert arc_minutes(page, ".tile-volt") >= 2 * SNELLEN
        assert arc_minutes(page, ".tile .state") >= 1.5 * SNELLEN
        assert cut_off(page, ".tile-name") == []
        found = order(page)
        assert found[:3] == ["A1", "A2", "A3"]  # with an alarm, as they stand in the rack
        states = [EVENING[channel_names(64).index(name) % len(EVENING)] for name in found[3:]]
        trouble = [state for state in states if state in {"tripped", "failed"}]
        assert states[: len(trouble)] == trouble
        assert set(shown_words(page)) == {
            *("run", "wait", "pause", "next", "stop", "done", "trip", "fail")
        }
        expect(page.locator("#alarms")).to_contain_text("and 1 more alarm")
        keep_picture(page, "wall-64-light")
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        keep_picture(page, "wall-64-dark")
        page.set_viewport_size(PHONE)  # two abreast, alarms before them
        expect(page.locator(".tile").first).to_have_css("height", "112px")
        first, second = (page.locator(".tile").nth(at).bounding_box() for at in (0, 1))
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"]
        assert min(first["width"], first["height"]) >= 44  # a thumb: WCAG 2.2, 2.5.5
        assert overflow_pixels(page) <= 0
        assert cut_off(page, ".tile-name") == []
        keep_picture(page, "wall-64-phone")


def test_two_hundred_and_fifty_six_channels_still_say_their_state_in_a_word(
    browser: Browser, tmp_path: Path
) -> None:
    with wall(browser, tmp_path, 256) as page:
        words = shown_words(page)
        assert len(words) == 256
        assert "" not in words
        assert cut_off(page, ".tile-name, .tile .state, .tile-volt") == []
        assert overflow_pixels(page) <= 0
        # Nine of ten are on the screen, and the first of them are those that want somebody.
        assert page.evaluate("document.documentElement.scrollHeight") <= 1.1 * SCREEN["height"]
        assert words[: words.index("run", 3)].count("trip") == 12
        tick = page.locator(".tile-tick").last
        tick.focus()  # by keyboard it is seen, and the group can be chosen
        expect(tick).to_have_css("opacity", "1")
        page.keyboard.press("Space")
        expect(page.locator("#group")).to_contain_text("1 channel")
        keep_picture(page, "wall-256-light")
        page.emulate_media(color_scheme="dark")
        keep_picture(page, "wall-256-dark")
        page.set_viewport_size(PHONE)
        expect(page.locator(".tile").first).to_have_css("height", "68px")
        assert overflow_pixels(page) <= 0
        assert cut_off(page, ".tile-name") == []
        keep_picture(page, "wall-256-phone")


def test_two_rigs_stand_under_their_names_and_count_as_people_do(
    browser: Browser, tmp_path: Path
) -> None:
    with wall(browser, tmp_path, 16, "labpc1", "labpc2") as page:
        heads = page.locator(".rig-head h2")
        expect(heads).to_have_text(["labpc1", "labpc2"])
        for rig in page.locator(".rig").all():
            expect(rig.locator(".tile")).to_have_count(16)
        second = page.locator(".rig").nth(1)
        names = second.locator(".tile-name").all_inner_texts()
        running = [n for n in names if EVENING[channel_names(16).index(n)] == "running"]
        assert running == [n for n in channel_names(16) if n in running]  # A9 before A11
        assert overflow_pixels(page) <= 0
        assert (
            page.locator(".tile").evaluate_all(
                """all => all.filter(one => one.querySelector(".tile-place").getBoundingClientRect().bottom
                > one.getBoundingClientRect().bottom).length"""
            )
            == 0
        )  # nothing sticks out below
        second.locator(".tile-body").first.click()
        expect(page).to_have_url(re.compile("rig=labpc2"))
        keep_picture(page, "channel-of-another-rig")


@pytest.mark.parametrize(
    ("count", "window"), [(12, SCREEN), (64, SCREEN), (256, SCREEN), (256, PHONE)]
)
def test_a_channel_that_somebody_has_by_hand_says_so_on_its_tile_however_small(
    browser: Browser, tmp_path: Path, count: int, window: dict[str, int]
) -> None:
    url, own = f"sqlite:///{tmp_path / 'rig.db'}", ("A1", "A10", "A12")
    fill_wall(url, count)
    with (
        held_by_hand(url, *own),
        served(url, None, clock=HandClock()) as (address, _),
        visit(browser, address, viewport=window) as page,
    ):
        page.goto("/")
        expect(page.locator(".tile")).to_have_count(count)
        expect(page.locator(".tile.held")).to_have_count(len(own))
        for name in own:
            words = page.locator(f"[data-channel={name}] .tile-hand")
            expect(words).to_have_text("by hand: anna, 90 s left")
            expect(words).to_be_visible()
        assert cut_off(page, ".tile.held .tile-name, .tile.held .state") == []
        assert stick_out(page, ".tile.held .tile-hand") == 0
        expect(page.locator("[data-channel=A10] a")).to_have_attribute(
            "aria-label", re.compile("by hand: anna")
        )
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            keep_picture(page, f"wall-held-{count}-{window['width']}-{scheme}")


def stick_out(page: Page, selector: str) -> int:
    """Return how many of these reach below their tile."""
    return int(
        page.locator(selector).evaluate_all(
            """all => all.filter(one => one.getBoundingClientRect().bottom
            > one.closest(".tile").getBoundingClientRect().bottom).length"""
        )
    )
