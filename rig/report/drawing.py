"""The look of every figure, and the way from matplotlib to SVG inside a page.

Sizes are in inches of a page 10 inches wide; letters are equally large in all figures then. Text
stays text (it can be searched, and takes the page's typeface), so nothing a user has written may
be drawn: matplotlib would read dollar signs as formulas. Knows no finding.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rig.report.numbers import power_of_ten

Width = Literal["half", "full"]
WIDTH_INCH: dict[Width, float] = {"half": 4.9, "full": 10.0}

# Okabe and Ito, Color Universal Design (2008): told apart by every common kind of colour vision.
BLACK, BLUE, ORANGE, GREEN, VERMILION = "#000000", "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, SOFT, FAINT = "#222222", "#6b6b6b", "#d9d9d9"

_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 4.0,
    "path.simplify_threshold": 0.3,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_PREFIXES = ((1e-9, "n"), (1e-6, "µ"), (1e-3, "m"), (1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"))


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of the page: SVG to set in as it is, and the words below it."""

    svg: Markup
    caption: str
    width: Width


def draw(
    name: str,
    label: str,
    caption: str,
    *,
    width: Width,
    height_inch: float,
    fill: Callable[[Figure], None],
) -> Drawing:
    """Let ``fill`` draw on an empty figure and return it; ``label`` is read out where nobody sees.

    ``name`` must be unique in the page: it keeps the ids inside of two figures apart.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):  # type: ignore[dict-item]
        figure = Figure(figsize=(WIDTH_INCH[width], height_inch))
        fill(figure)
        return Drawing(_svg(figure, name, label), caption, width)


def _svg(figure: Figure, name: str, label: str) -> Markup:
    text = io.StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata=_NO_METADATA)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].strip()  # no XML prolog inside a page
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, count=1, flags=re.DOTALL)
    opening = f'<svg role="img" aria-label="{escape(label)}" '
    return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704


# --- axes ----------------------------------------------------------------------------------------


def stacked(
    figure: Figure, heights: list[float], *, left_inch: float = 0.75, top_inch: float = 0.12
) -> list[Axes]:
    """Return panels above one another that share x; only the lowest shows its tick labels."""
    width, height = figure.get_size_inches()
    grid = figure.add_gridspec(
        len(heights),
        1,
        height_ratios=heights,
        left=left_inch / width,
        right=1.0 - 0.15 / width,
        bottom=0.5 / height,
        top=1.0 - top_inch / height,
        hspace=0.12,
    )
    panels: list[Axes] = []
    for row in range(len(heights)):
        panels.append(figure.add_subplot(grid[row], sharex=panels[0] if panels else None))
        panels[row].tick_params(labelbottom=row == len(heights) - 1)
    figure.align_ylabels(panels)
    return panels


def logarithmic(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic with decades written as 10⁻³, in letters rather than in formulas."""
    if which == "x":
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(numticks=7))
    axis.set_major_formatter(FuncFormatter(_decade_label))
    axis.set_minor_formatter(NullFormatter())


def _decade_label(value: float, _position: float | None = None) -> str:
    if value <= 0:
        return ""
    power = round(float(np.log10(value)))
    return power_of_ten(power) if np.isclose(value, 10.0**power) else f"{value:g}"


def scaled(extent: float, unit: str) -> tuple[float, str]:
    """Return what to divide by, and the unit then: ``scaled(7e5, "Ω")`` is (1000.0, "kΩ").

    The steps are thousands, taken so that the axis ends above 1 and below 10,000 where it can.
    """
    fitting = [prefix for prefix in _PREFIXES if extent >= 2.0 * prefix[0]]
    factor, prefix = fitting[-1] if fitting else _PREFIXES[0] if extent > 0 else (1.0, "")
    return factor, f"{prefix}{unit}"
