"""The options of ``rig fit eis``, and what of them cannot be meant."""

from __future__ import annotations

from typing import Annotated

import typer

from rig.core.errors import BadInput, Problem

Sources = Annotated[list[str], typer.Argument(help="Files of spectra, or run ids.")]
Circuits = Annotated[
    list[str] | None,
    typer.Option(help="For example R0-p(R1,CPE1)-CPE2; several are compared; default: see above."),
]
Series = Annotated[bool, typer.Option(help="All spectra of all sources, in order, as one series.")]
Values = Annotated[
    list[str] | None, typer.Option(help="name=value in base units, for example R0=12.5; repeat.")
]
Weights = Annotated[str, typer.Option(help="modulus, unit or proportional.")]
Capacitive = Annotated[
    bool, typer.Option(help="Leave out inductive points (Im Z > 0); the result says so.")
]
Profile = Annotated[
    bool, typer.Option("--profile", help="95 % intervals by profile likelihood, open ones too.")
]
Figure = Annotated[str | None, typer.Option(help="Draw curve and residuals: .png, .svg or .pdf.")]
Symmetric = Annotated[
    bool, typer.Option("--symmetric", help="Two like interfaces in series; off: one.")
]
WEIGHTS = ("modulus", "unit", "proportional")


def refuse_options(
    weights: str,
    circuits: list[str] | None,
    start: list[str] | None,
    fix: list[str] | None,
    *,
    several: bool,
    profile: bool,
) -> None:
    """Raise BadInput with everything about the options that cannot be meant."""
    problems = []
    if profile and not circuits and not several:
        problems.append(Problem("--profile", "belongs to a circuit: give --circuit"))
    if weights not in WEIGHTS:
        problems.append(Problem("--weights", f"got {weights!r}, expected modulus, unit ..."))
    if several and len(circuits or []) != 1:
        message = f"got {len(circuits or [])}, expected one circuit for several spectra"
        problems.append(Problem("--circuit", message, example='--circuit "R0-p(R1,CPE1)"'))
    elif (start or fix) and len(circuits or []) != 1:
        problems.append(Problem("--start and --fix", "belong to one circuit: give --circuit once"))
    if problems:
        raise BadInput(problems)


def pairs(texts: list[str] | None, option: str) -> dict[str, float]:
    """Read name=value options; BadInput with all that are none."""
    values: dict[str, float] = {}
    problems = []
    for text in (part for given in texts or [] for part in given.split(",")):
        name, _, number = text.partition("=")
        try:
            values[name.strip()] = float(number)
        except ValueError:
            message = f"got {text!r}, expected name=number"
            problems.append(Problem(option, message, example=f"{option} R0=12.5"))
    if problems:
        raise BadInput(problems)
    return values
