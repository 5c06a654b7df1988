"""The look of every figure, and the way from matplotlib to SVG inside a page.

Sizes are in inches of a page 10 inches wide; letters are equally large in all figures then. Text
stays text (it can be searched, and takes the page's typeface), so nothing a user has written may
be drawn: matplotlib would read dollar signs as formulas. Knows no finding.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rig.core.errors import StoreError
from rig.report.numbers import exact, power_of_ten

Width = Literal["half", "full"]
WIDTH_INCH: dict[Width, float] = {"half": 4.9, "full": 10.0}

# Okabe and Ito, Color Universal Design (2008): told apart by every common kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
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
_UNREFERENCED_ID = re.compile(r' id="[A-Za-z][A-Za-z0-9.]*_\d+"')
_GLOBAL_STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_COORDINATES = re.compile(r' (?:d|x|y)="[^"]*"')
_MARKER_STYLE = re.compile(r'(?<=")\s+style="[^"]*"')
_MARKERS = re.compile(
    r'<g(?P<clip>(?: clip-path="[^"]*")?)>\s*'
    r'(?P<markers>(?:<use xlink:href="[^"]*" x="[^"]*" y="[^"]*" style="(?P<style>[^"]*)"/>\s*)+)</g>'
)
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_FEW_DECADES = 200.0  # as a ratio
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

    ``name`` must be unique in the page: ids of clip paths and markers are hashes of what they hold
    and of this name.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):  # type: ignore[dict-item]
        figure = Figure(figsize=(WIDTH_INCH[width], height_inch))
        fill(figure)
        return Drawing(_svg(figure, label), caption, width)


def save_picture(
    path: Path, size_inch: tuple[float, float], fill: Callable[[Figure], None], *, title: str
) -> None:
    """Let ``fill`` draw a figure and write it to ``path``: .png, .svg or .pdf, in the page's look.

    Raises StoreError where the file cannot be written; nothing half-written is left.
    """
    partial = path.with_name(f".{path.name}.partial")
    with mpl.rc_context({**_STYLE, "svg.hashsalt": "picture"}):  # type: ignore[dict-item]
        figure = Figure(figsize=size_inch)
        fill(figure)
        figure.text(0.012, 0.99, title.replace("$", "\\$"), va="top", fontsize=8.5, color=SOFT)
        try:
            figure.savefig(partial, format=path.suffix[1:], dpi=200)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def _svg(figure: Figure, label: str) -> Markup:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=_NO_METADATA)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].strip()  # no XML prolog inside a page
    svg = _UNREFERENCED_ID.sub("", svg)  # axes_1 and the like would occur in every figure
    svg = _GLOBAL_STYLE.sub("", svg)
    svg = _COORDINATES.sub(_two_decimals, svg)
    svg = _MARKERS.sub(_style_once, svg)
    opening = f'<svg role="img" aria-label="{escape(label)}" '
    return Markup(svg.replace("<svg ", opening, 1))


def _two_decimals(attribute: re.Match[str]) -> str:
    """Keep hundredths of a point: a third of the size, and nobody can see the difference."""
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])


def _style_once(group: re.Match[str]) -> str:
    """Say the style of a row of markers once, where matplotlib repeats it for every point."""
    return (
        f'<g{group["clip"]} style="{group["style"]}">{_MARKER_STYLE.sub("", group["markers"])}</g>'
    )


# --- axes ----------------------------------------------------------------------------------------


def stacked(
    figure: Figure, heights: list[float], *, left_inch: float = 0.8, top_inch: float = 0.12
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
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    few = high < _FEW_DECADES * low
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick_label(value, few)))
    axis.set_minor_locator(LogLocator(subs=(1.0,), numticks=20))
    axis.set_minor_formatter(NullFormatter())


def _tick_label(value: float, few_decades: bool) -> str:
    """Write 10⁻³ on a long axis, 20 and 0.05 on one too short for decades alone."""
    if value <= 0:
        return ""
    return exact(value) if few_decades else power_of_ten(round(math.log10(value)))


def scaled(extent: float, unit: str) -> tuple[float, str]:
    """Return what to divide by, and the unit then: axes end between 0.5 and 500.

    >>> scaled(1.9e-3, "Ah")
    (0.001, 'mAh')
    """
    fitting = [prefix for prefix in _PREFIXES if extent >= 0.5 * prefix[0]]
    factor, prefix = fitting[-1] if fitting else _PREFIXES[0] if extent > 0 else (1.0, "")
    return factor, f"{prefix}{unit}"
