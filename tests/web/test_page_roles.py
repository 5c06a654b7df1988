"""Who sees what on the page: a stranger the door, a viewer everything and no button, an operator both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rig.core.roles import Role
from tests.web.browsing import keep_picture, rig_serve, visit
from tests.web.houses import PASSWORD, copied, let_in


@pytest.fixture(scope="module")
def url(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("roles")
    database = copied(finished, folder)
    for name, role in (("vera", Role.VIEWER), ("olaf", Role.OPERATOR)):
        let_in(database, name, role)
    with rig_serve(folder, "--observe") as address:
        yield address


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_is_led_to_the_door_and_after_it_to_where_he_wanted(
    browser: Browser, url: str
) -> None:
    with visit(browser, url) as page:
        page.goto("/channel/C1")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        keep_picture(page, "sign-in")
        sign_in(page, "olaf", "not the password")
        expect(page.get_by_role("alert")).to_contain_text("another password")
        sign_in(page, "olaf")
        expect(page.locator(".headline h1")).to_have_text("C1")
        expect(page.locator("#who")).to_have_text("olaf · operator")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        page.goto("/")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_address_in_the_link_does_not_lead_elsewhere(browser: Browser, url: str) -> None:
    with visit(browser, url) as page:
        page.goto("/sign-in?next=//elsewhere.example/steal")
        sign_in(page, "vera")
        expect(page.locator("[data-channel=C1]")).to_be_visible()
        assert page.url.startswith(url)


def test_a_viewer_sees_everything_and_has_nothing_to_press_on_page_or_api(
    browser: Browser, url: str
) -> None:
    with visit(browser, url) as page:
        page.goto("/sign-in")
        sign_in(page, "vera")
        expect(page.locator("#who")).to_have_text("vera · viewer")
        expect(page.locator("[data-channel=C1]")).to_be_visible()
        expect(page.locator("#all-safe")).to_have_count(0)
        expect(page.get_by_role("checkbox")).to_have_count(0)
        page.goto("/channel/C1")
        expect(page.locator("#time-plot svg").first).to_be_visible()
        expect(page.locator("#verbs")).to_have_count(0)
        status = page.evaluate(
            """async () => {
                const me = await (await fetch("/api/me")).json();
                const headers = {"Content-Type": "application/json", "X-CSRF-Token": me.csrf};
                const body = JSON.stringify({verb: "stop"});
                return (await fetch("/api/runs/last/orders", {method: "POST", headers, body})).status;
            }"""
        )
        assert status == 403
