"""``rig bench``, ``rig drivers`` and ``rig simulate``: instruments, real ones and simulated ones."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import output_file, print_json
from rig.cli.running import BenchOption, Json, Seed
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.core.sheet import Sheet

bench = typer.Typer(help="The instruments that a bench file names.", no_args_is_help=True)
drivers = typer.Typer(
    help="What is supported, how well proven, with which quirks.", no_args_is_help=True
)


@bench.command("check")
def bench_check(bench_name: BenchOption = "sim", json: Json = False) -> int:
    """Identify everything that is plugged in; all failures at once."""
    from rig.bench.file import load_bench
    from rig.bench.inspection import inspect_bench

    findings = inspect_bench(load_bench(bench_name))
    if json:
        print_json({"instruments": [finding.to_dict() for finding in findings]})
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.tree import Tree

        tree = Tree(escape(f"bench {bench_name}"))
        for finding in findings:
            mark = "[green]ok[/]    " if not finding.problem else "[red]FAILED[/]"
            where = f"{finding.name}  ({finding.driver} at {finding.connect})"
            branch = tree.add(f"{mark} {escape(where)}")
            branch.add(escape(finding.problem or finding.identity))
            if finding.note:
                branch.add(f"[yellow]note[/]   {escape(finding.note)}")
        Console().print(tree)
    failed = [finding.name for finding in findings if finding.problem]
    if failed:
        print(f"rig: {len(failed)} of {len(findings)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


@drivers.command("list")
def drivers_list(json: Json = False) -> int:
    """List every supported instrument family."""
    sheets = _sheets()
    if json:
        print_json({"drivers": [_sheet_dict(sheet) for sheet in sheets]})
        return 0
    from rich.console import Console
    from rich.table import Table

    from rig.core.sheet import TIERS

    table = Table()
    table.add_column("driver", no_wrap=True)  # its name is what a bench file needs, whole
    for column in ("instrument", "roles", "models"):
        table.add_column(column)
    table.add_column("proven", no_wrap=True)
    for sheet in sheets:
        roles = ", ".join(role.value for role in sheet.roles)
        models = ", ".join(model.name for model in sheet.models)
        table.add_row(sheet.family, _name(sheet), roles, models, sheet.tier.value)
    Console().print(table)
    for tier in dict.fromkeys(sheet.tier for sheet in sheets):
        typer.echo(f"{tier.value}: {TIERS[tier]}")
    return 0


@drivers.command("show")
def drivers_show(
    name: Annotated[str, typer.Argument(help="A driver, as in: rig drivers list.")],
    json: Json = False,
) -> int:
    """Show one family's sheet: ranges, quirks, what nobody knows yet."""
    from rig.bench.registry import load_driver

    sheet = load_driver(name, "rig drivers show").sheet
    if json:
        print_json(_sheet_dict(sheet))
        return 0
    for line in _sheet_lines(sheet):
        typer.echo(line)
    return 0


def _sheets() -> list[Sheet]:
    from rig.bench.registry import driver_names, load_driver

    return [load_driver(name).sheet for name in driver_names()]


def _name(sheet: Sheet) -> str:
    return f"{sheet.maker} {sheet.title.removeprefix(f'{sheet.maker} ')}"


def _connect_example(sheet: Sheet) -> str:
    """Return an address of the kind that this family is reached by, for a bench file."""
    if sheet.port is not None:
        return f"TCPIP::192.168.0.5::{sheet.port}::SOCKET"
    speed = "" if sheet.baudrate is None else f"?baudrate={sheet.baudrate}"
    return f"serial:///dev/ttyUSB0{speed}"


def _sheet_dict(sheet: Sheet) -> dict[str, Any]:
    from dataclasses import asdict

    values = asdict(sheet)
    values["roles"] = [role.value for role in sheet.roles]
    values["tier"] = sheet.tier.value
    values["terminator"] = sheet.terminator.decode("ascii")
    return values


def _sheet_lines(sheet: Sheet) -> list[str]:
    from dataclasses import asdict

    from rig.core.sheet import TIERS

    lines = [f"{sheet.family}: {_name(sheet)}", f"manual: {sheet.manual}"]
    lines.append(f"roles: {', '.join(role.value for role in sheet.roles)}")
    lines.append(f"proven: {sheet.tier.value}, that is {TIERS[sheet.tier]}")
    example = f'{{driver: {sheet.family}, connect: "{_connect_example(sheet)}"}}'
    lines.append(f"in a bench file, for example: {example}")
    if sheet.firmware:
        lines.append(f"facts from firmware: {', '.join(sheet.firmware)}")
    for model in sheet.models:
        known = {key: value for key, value in asdict(model).items() if value and key != "name"}
        lines.append(
            f"  {model.name}: " + ", ".join(f"{key} {value}" for key, value in known.items())
        )
    for title, entries in (("quirks", sheet.quirks), ("unknown, to verify", sheet.unknowns)):
        lines += [f"{title}:", *(f"  - {entry}" for entry in entries)] if entries else []
    lines += ["house rules:", *(f"  {rule}: {state}" for rule, state in sheet.rules.items())]
    return lines


def simulate(
    bench_name: BenchOption = "sim",
    speed: Annotated[float, typer.Option(help="How many times faster than life.")] = 1.0,
    fault: Annotated[
        list[str] | None, typer.Option(help="A fault to inject, as INSTRUMENT:KIND@OPERATION.")
    ] = None,
    seed: Seed = 1,
    write_bench: Annotated[
        str | None, typer.Option(help="Also write a bench file that connects to them.")
    ] = None,
    json: Json = False,
) -> int:
    """Serve simulated instruments on TCP and pty until Ctrl-C; prints where each one listens."""
    from rig.bench.file import load_bench
    from rig.bench.serving import bench_for, serve_simulated

    if not 0 < speed < float("inf"):
        raise BadInput(
            Problem("--speed", f"got {speed:g}, expected a number above 0", example="--speed 20")
        )
    copy = output_file("--write-bench", write_bench) if write_bench else None
    bench_file = load_bench(bench_name)
    over = threading.Event()
    with serve_simulated(bench_file, speed=speed, faults=fault or [], seed=seed) as addresses:
        text = bench_for(bench_file, addresses, speed)
        if copy:
            copy.write_text(text, encoding="utf-8")
        if json:
            print_json({"speed": speed, "instruments": addresses})
        else:
            for name, address in addresses.items():
                print(f"{name}  {bench_file.instruments[name].driver}  {address}")
        sys.stdout.flush()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        over.wait()
    return 0
