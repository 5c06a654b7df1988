"""A served rig as a browser sees it: ``rig serve`` in a process of its own, Chromium beside it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 45_000  # of a busy machine; a page that is well answers within a tenth of a second
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window. Without one the test is skipped, but never under CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*OPTIONS])
        yield browser
        browser.close()


@contextmanager
def rig_serve(folder: Path, *options: str, said: list[str] | None = None) -> Iterator[str]:
    """Serve from this folder, database rig.db; yields the page's address.

    ``said`` gets, in the end, every line that it wrote.
    """
    command = [sys.executable, "-P", "-m", "rig", "serve", "--db", f"sqlite:///{folder / 'rig.db'}"]
    words = ["--port", "0", *options] if "--port" not in options else list(options)
    process = subprocess.Popen(
        [*command, *words], cwd=folder, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    said = [] if said is None else said
    try:
        yield _address(process, said)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said.append(process.communicate(timeout=60)[1])
        finally:
            process.kill()


def _address(process: subprocess.Popen[str], said: list[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        found = re.search(r" at (https?://\S+)", line)
        if found is not None:
            return found[1]
    pytest.fail("rig serve has ended: " + "".join(said))


@contextmanager
def visit(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """A page of a visitor of his own; fails where a script has failed."""
    context = browser.new_context(**{"viewport": DESK, "base_url": url, **options})  # type: ignore[arg-type]
    try:
        with watched(context) as page:
            yield page
    finally:
        context.close()


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    assert not failures, failures


def confirm(page: Page, button: str, reason: str = "") -> None:
    """Answer the dialog that asks whether one is sure, and why."""
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.locator("input[name=reason]").fill(reason)
    dialog.get_by_role("button", name=button).click()
    expect(dialog).to_be_hidden()


def overflow_pixels(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot for people where RIG_SCREENSHOTS names a folder."""
    folder = os.environ.get("RIG_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(page.screenshot())
