"""The page: everything that was found is on it, nothing a user wrote can break it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from rig.analysis.flags import EIS_KK, flag
from rig.report import render_report, report_html
from rig.report.figures_cycling import plot_capacities
from rig.report.findings import RunFindings
from tests.report.runs import PELLET_QUANTITIES, cell_run, pellet_run, run


@pytest.fixture(scope="module")
def findings() -> list[RunFindings]:
    return [pellet_run(), cell_run(run_id="fedcba9876543210fedcba9876543210")]


@pytest.fixture(scope="module")
def page(findings: list[RunFindings]) -> str:
    return report_html(findings, "Two cells")


def text_of(html: str) -> str:
    """Return what can be read, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_every_quantity_flag_and_run_is_on_the_page(findings: list[RunFindings], page: str) -> None:
    text = text_of(page)
    for one in findings:
        assert one.run_id in text
        for quantity in one.quantities:
            assert quantity.title in text.replace("\N{NO-BREAK SPACE}", " ")
        for note in one.flags:
            assert note.code in text
            assert note.message.replace(">", "&gt;") in text


def test_results_come_before_the_runs(page: str) -> None:
    assert page.index("(1.98 ± 0.04)×10⁻³") < page.index('id="run-1"') < page.index('id="run-2"')


def test_of_simulated_cells_the_truth_and_the_verdict_are_written_in_words(page: str) -> None:
    text = text_of(page)
    assert "1.89 to 2.07 ×10⁻³ 2.00×10⁻³ recovered −0.5 u" in text
    assert "0.3500 not recovered −10.0 u" in text
    assert "1 of 2 known truths within the 99 % interval" in text
    assert "simulated cells" in text


def test_of_real_cells_there_is_no_truth() -> None:
    text = text_of(report_html([run(simulated=False, quantities=PELLET_QUANTITIES)], "Real"))
    assert "recovered" not in text
    assert "Truth" not in text
    assert "real cells" in text


def test_every_kind_of_figure_is_drawn(page: str) -> None:
    labels = set(re.findall(r'aria-label="([^",:]+)', page))
    assert labels >= {
        "Voltage",
        "Nyquist plot of all spectra",
        "Nyquist plot",
        "Nyquist plots of single spectra",
        "Bode plot",
        "Residuals of the impedance fits",
        "Fitted resistances over cycles",
        "Arrhenius plot",
        "Capacity and coulombic efficiency over cycles",
    }


def test_the_page_needs_no_network_and_no_script(page: str) -> None:
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", page)
    assert not re.search(r"@import|url\((?!#)|<script|<link|<iframe", page)


def test_every_id_is_unique_and_every_reference_finds_one(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)) <= {
        pair for one in ids for pair in ((one, ""), ("", one))
    }


def test_the_same_findings_give_the_same_bytes(findings: list[RunFindings], page: str) -> None:
    assert report_html(findings, "Two cells") == page


def test_a_report_of_two_runs_is_small(page: str) -> None:
    assert len(page.encode()) < 1_500_000


HOSTILE = "<script>alert(1)</script> $\\frac{1}{0}$ \"'&"


def test_what_users_write_is_escaped_everywhere() -> None:
    hostile = replace(
        pellet_run(),
        cell_name=HOSTILE,
        protocol_name=HOSTILE,
        protocol_text=HOSTILE,
        reason=HOSTILE,
        events=((1.0, "alarm", HOSTILE),),
        identities={HOSTILE: {"maker": HOSTILE}},
        cell={"chemistry": HOSTILE},
        channel="<b>",
    )
    page = report_html([hostile], HOSTILE)
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_a_failed_run_says_why_and_what_is_missing() -> None:
    trace = "Traceback (most recent call last):\n  File x\nLinkClosed: port is gone"
    failed = run(
        state="failed",
        reason="channel P1 (palmsens): port is gone",
        ended="",
        events=((0.0, "state", "running"), (9.0, "bug", trace), (8.0, "alarm", "not safe")),
    )
    text = text_of(report_html([failed], "Failed"))
    assert "failed" in text
    assert "no result: channel P1 (palmsens): port is gone" in text
    assert "No samples were recorded." in text
    assert "neither a complete spectrum nor a cycle" in text
    assert "Traceback" not in text
    assert "LinkClosed: port is gone" in text
    assert text.index("not safe") < text.index("LinkClosed") < text.index("state running")


def test_a_finished_run_without_results_says_what_they_would_have_needed() -> None:
    text = text_of(report_html([run(samples=5)], "Finished"))
    assert "No results: neither a complete spectrum nor a cycle was recorded." in text


def test_a_page_without_runs_is_a_page() -> None:
    assert "No runs." in text_of(report_html([], "Empty"))


def test_spectra_without_a_fit_are_drawn_and_the_reason_is_given() -> None:
    good = pellet_run()
    spectra = tuple(replace(one, fit=None, problem="no minimum <found>") for one in good.spectra)
    bare = replace(good, spectra=spectra, pellet=None, quantities=(), cell={})
    page = report_html([bare], "Bare")
    assert "Nyquist plot of all spectra" in page
    assert "Residuals" not in page
    text = text_of(page)
    assert "no fit: no minimum &lt;found&gt;" in text
    assert "6 of 6 spectra have no fit." in text
    assert "No conductivity: it takes the cell's area".replace("'", "&#39;") in text


def test_few_cycles_without_a_fade_law_are_shown_with_the_reason() -> None:
    page = report_html([cell_run(4, spectra=(), quantities=())], "Short")
    assert "Capacity and coulombic efficiency over cycles" in page
    assert "No fade law: too few complete cycles after formation." in text_of(page)


def test_one_good_cycle_and_spectrum_are_counted_and_nobody_says_that_there_is_nothing() -> None:
    one = cell_run(1, quantities=(), flags=())
    page = report_html([replace(one, spectra=one.spectra[:1])], "One cycle")
    text = text_of(page)
    assert "1 run, 1 finished; 1 cycle, 1 spectrum." in text
    assert "0 results" not in text
    assert "support any" not in text
    assert "1 spectra" not in text


def test_no_axis_of_capacities_has_a_number_that_is_added_to_its_marks() -> None:
    one = cell_run(1, quantities=(), flags=()).cycling
    assert one is not None
    axes = Figure().subplots()
    plot_capacities(axes, one)
    assert axes.yaxis.get_major_formatter().get_useOffset() is False


def test_undetermined_parameters_are_printed_without_digits() -> None:
    good = pellet_run()
    first = good.spectra[0]
    assert first.fit is not None
    parameters = list(first.fit.parameters)
    parameters[1] = replace(parameters[1], value=98_765.4, determined=False)
    fit = replace(first.fit, parameters=tuple(parameters), flags=(flag(EIS_KK, "2 % at 1 Hz"),))
    changed = replace(good, spectra=(replace(first, fit=fit), *good.spectra[1:]))
    text = text_of(report_html([changed], "Undetermined"))
    assert "R1 not determined Ω" in text
    assert "9877" not in text
    assert "block EIS-KK: 2 % at 1 Hz" in text


def test_a_report_is_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    render_report([run()], title="One", path=path)
    assert path.read_text(encoding="utf-8") == report_html([run()], "One")


def test_importing_the_package_loads_neither_matplotlib_nor_jinja() -> None:
    code = (
        "import sys, rig.report; "
        "print([name for name in ('matplotlib', 'jinja2', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
