"""How ``rig kk`` shows its verdicts: which spectra may not be believed, and what each rests on."""

from __future__ import annotations

from typing import Any

from rig.cli.fit_output import show_flags, show_table
from rig.cli.output import complain
from rig.cli.spectra_words import print_statements

_MOST_NAMED = 5
_IF_TOO_FEW = "measure with 5 points per decade or more"


def complain_of_too_few(answers: list[dict[str, Any]]) -> int:
    """Say on stderr which spectra cannot be judged; return the exit code that follows."""
    unjudged = [one for one in answers if one["too_few_points"]]
    if not unjudged:
        return 0
    causes = [
        f"spectrum {one['spectrum_number']}: {one['flags'][0]['message']}" for one in unjudged
    ]
    complain(causes[:_MOST_NAMED], _IF_TOO_FEW)
    return 1


def show_verdicts(answers: list[dict[str, Any]]) -> None:
    headers = (
        "spectrum",
        "verdict",
        "Z' / %",
        "Z'' / %",
        "pattern",
        "M",
        "mu",
        "valid window / Hz",
    )
    show_table(f"Kramers-Kronig, {answers[0]['source']}", headers, [_row(one) for one in answers])
    for one in answers:
        print_statements(one["spectrum_number"], one["statements"])
        show_flags(one["flags"])
        _show_window(one)
        _show_slow_end(one)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    window = one["window"]
    return (
        f"{one['spectrum_number']} ({one['points']} points)",
        _verdict(one),
        f"{100 * one['max_residual_real']:.2g}",
        f"{100 * one['max_residual_imaginary']:.2g}",
        "yes" if one["systematic"] else "no",
        str(one["n_rc"]),
        f"{one['mu']:.2f}",
        "not judged" if one["too_few_points"] else _window_words(one["valid"], window),
    )


def _verdict(one: dict[str, Any]) -> str:
    if one["too_few_points"]:
        return "too few points"
    return "valid" if one["valid"] else "REFUSED"


def _window_words(valid: bool, window: dict[str, Any] | None) -> str:
    if valid:
        return "all"
    if window is None:
        return "none"
    return f"{window['lowest_hertz']:.4g} to {window['highest_hertz']:.4g}"


def _show_window(one: dict[str, Any]) -> None:
    window = one["window"]
    if window is None:
        return
    with_all, without = window["whole_total_resistance_ohm"], window["total_resistance_ohm"]
    print(
        f" info without the {window['points_left_out']} points outside the window the total "
        f"resistance is {without:.4g} ohm, with them {with_all:.4g} ohm"
    )


def _show_slow_end(one: dict[str, Any]) -> None:
    change = one["z_hit_slow_end_change"]
    if change is None:
        print(f" info spectrum {one['spectrum_number']} is too short or too sparse for Z-HIT")
        return
    size = f"{100 * change:+.1f} ± {100 * one['z_hit_standard_error']:.1f} %"
    print(f" info Z-HIT: at the slow end |Z| is {size} off what the phase demands")
