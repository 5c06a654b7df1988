"""Every example in the docs that says it runs, runs, and prints what the page shows.

A page is one session in an empty folder, from top to bottom. The word after a block's language says
what to do with it: ``yaml first.yaml`` is written to that file (.csv, .toml and .py, too),
``console run`` is typed in (its ``$ rig ...`` lines, one after the other), ``console run exit=2`` as
well, ending with that code, ``python run`` is executed, ``python run alone`` in a process
that it may end. Any other block is only read. Lines that are shown as output must be printed, in that
order; ``...`` in a line stands for whatever is there, alone for any lines; blanks and the frames of
tables do not count.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.analysis.flags import FLAGS
from rig.cli.main import app, run
from rig.protocol.program import NAMES, QUANTITIES
from rig.protocol.words import VERBS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"])
_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
_FRAMES = re.compile(r"[\s│┃┏┓┗┛┡┩└┘├┤┬┴┼╇━─┳┻╈]+")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``words`` are what stands after the fence."""

    words: tuple[str, ...]
    body: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(tuple(match["info"].split()), match["body"]) for match in _BLOCK.finditer(text)]


def commands(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block with the output lines shown under it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, [line for line in shown if line.strip()]


def runs(page: Path) -> bool:
    return any("run" in block.words[1:] for block in blocks(page))


def typed_in(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run ``rig ...`` in this process; return its exit code and all that it printed."""
    program, *arguments = shlex.split(command)
    assert program == "rig", f"only rig commands are run from the docs, not {command!r}"
    monkeypatch.setattr(sys, "argv", ["rig", *arguments])
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        pytest.raises(SystemExit) as over,
    ):
        run()
    return int(over.value.code or 0), printed.getvalue()


def plain(line: str) -> str:
    return _FRAMES.sub(" ", line).strip()


def assert_shown(shown: list[str], printed: str, command: str) -> None:
    """Fail unless the shown lines appear in what was printed, in order."""
    lines = iter([plain(line) for line in printed.splitlines()])
    for wanted in map(plain, shown):
        if wanted in {"", "..."}:
            continue
        pattern = ".*".join(re.escape(piece.strip()) for piece in wanted.split("..."))
        found = any(re.fullmatch(pattern, line) for line in lines)
        assert found, f"$ {command}\ndoes not print {wanted!r} there, but:\n{printed}"


def run_python(block: Block) -> None:
    """Execute a block here, as a notebook would; ``alone``, in a process that it may end."""
    if "alone" in block.words:
        subprocess.run([sys.executable, "-c", block.body], check=True)
    else:
        exec(compile(block.body, "the page", "exec"), {"__name__": "__main__"})


def run_block(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.words[0] == "python":
        run_python(block)
        return
    expected = next((int(w.removeprefix("exit=")) for w in block.words if "exit=" in w), 0)
    for command, shown in commands(block.body):
        code, printed = typed_in(command, monkeypatch)
        assert code == expected, f"$ {command}\nends with {code}, not {expected}:\n{printed}"
        assert_shown(shown, printed, command)


@pytest.mark.parametrize("page", [page for page in PAGES if runs(page)], ids=lambda page: page.stem)
def test_every_example_on_the_page_runs_and_prints_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("RIG_DATABASE_URL", raising=False)
    (tmp_path / "protocols").symlink_to(ROOT / "protocols")
    for block in blocks(page):
        name = block.words[1] if len(block.words) > 1 else ""
        if name == "run":
            run_block(block, monkeypatch)
        elif name.endswith((".yaml", ".csv", ".toml", ".py")):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(block.body, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_on_the_page_leads_somewhere(page: Path) -> None:
    targets = [match["target"] for match in _LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target]
    resolved = {(page.parent / target).resolve().relative_to(ROOT).as_posix() for target in local}
    missing = [name for name in resolved if not (ROOT / name).exists()]
    assert not missing


def test_every_flag_stands_in_the_reference_as_the_code_has_it() -> None:
    page = (ROOT / "docs/reference/result-keys.md").read_text(encoding="utf-8")
    rows = [f"| `{code}` | {level.value} | {words} |" for code, (level, words) in FLAGS.items()]
    assert [row for row in rows if row not in page] == []


def test_every_name_that_a_condition_may_use_stands_in_the_reference() -> None:
    page = (ROOT / "docs/reference/protocol-file.md").read_text(encoding="utf-8")
    assert [name for name in (*NAMES, *QUANTITIES, *VERBS) if f"`{name}`" not in page] == []


def test_every_command_stands_in_the_reference() -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    names = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback is not None
    } | {group.name for group in app.registered_groups}
    assert sorted(str(name) for name in names if f"`rig {name}" not in page) == []
