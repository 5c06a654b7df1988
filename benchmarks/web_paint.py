"""What web.py measures of pages in the system's Chromium: its own paint entries, and when all is there.

The reference is a page of as many plain boxes, from bare Starlette. A visitor's first look: nothing is cached.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from web_rig import Lab, process

HERE = Path(__file__).resolve().parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
VISITS = 5
# Chromium tells the largest paint only to who has asked for it before.
LISTEN = """
window.largest = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.largest = one.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
PAINTED = """() => ({
  first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  largest: window.largest || null, complete: performance.now(),
})"""


def measure(lab: Lab, channels: int) -> dict[str, Any] | None:
    """Return the paint times of wall, channel page and reference; None without a browser."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        return None
    own = f"http://127.0.0.1:{lab.port}"
    pages = {
        "wall": (f"{own}/", f".tile >> nth={channels - 1}"),
        "channel": (f"{own}/channel/C1", "#time-plot[data-shown]"),
    }
    with _boxes(lab.folder, channels) as boxes, sync_playwright() as playwright:
        pages["plain boxes"] = (boxes, f"div >> nth={channels - 1}")
        opened = playwright.chromium.launch(executable_path=browser, args=[*OPTIONS])
        try:
            return {name: _visits(opened, *page) for name, page in pages.items()}
        finally:
            opened.close()


def _visits(browser: Browser, url: str, last: str) -> dict[str, float]:
    """Visit a page some times, until its ``last`` element is there; return medians in milliseconds."""
    times = []
    for _ in range(VISITS):
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.add_init_script(LISTEN)
        page = context.new_page()
        page.goto(url)
        page.locator(last).wait_for(timeout=60_000)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        times.append(page.evaluate(PAINTED))
        context.close()
    return {
        f"{name}_millisecond": statistics.median(one[name] or one["complete"] for one in times)
        for name in ("first", "largest", "complete")
    }


@contextmanager
def _boxes(folder: Path, count: int) -> Iterator[str]:
    words = (str(HERE / "web_alone.py"), "100", "1.0", str(count))
    with process(folder, sys.executable, *words) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[-1]
        yield f"{address}/boxes"
