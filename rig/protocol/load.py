"""The way in: a protocol file or its text -> a checked ``Program``, or BadInput with all problems.

ruamel, pydantic and pint are loaded when a protocol is read, and not when ``rig`` starts: hence
the imports inside the functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.core.errors import BadInput, Problem
from rig.protocol.program import CellFacts, Program


def load_protocol(
    path: Path | str,
    *,
    variables: Mapping[str, str] | None = None,
    cell: CellFacts | None = None,
) -> Program:
    """Read, check and compile a protocol file; see ``loads_protocol``."""
    text = read_protocol(path)
    return loads_protocol(text, file_name=str(path), variables=variables, cell=cell)


def read_protocol(path: Path | str) -> str:
    """Return a protocol file's text; raises BadInput where it cannot be read."""
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(Problem(str(path), f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text: byte {error.object[error.start]:#04x} at {error.start}"
        raise BadInput(Problem(str(path), message)) from None


def loads_protocol(
    text: str,
    *,
    file_name: str = "protocol.yaml",
    variables: Mapping[str, str] | None = None,
    cell: CellFacts | None = None,
) -> Program:
    """Check and compile the text of a protocol.

    ``variables`` are the values of ``--set``. What ``cell`` (the cell's own record) knows wins
    over the file's ``cell:`` block. Raises BadInput with every problem, each at file:line:column.
    """
    from rig.protocol.assemble import assemble  # noqa: PLC0415
    from rig.protocol.source import read_source  # noqa: PLC0415

    return assemble(read_source(text, file_name), text, variables or {}, cell or CellFacts())


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of protocol files, for completion in editors."""
    from rig.protocol.schema import json_schema as schema  # noqa: PLC0415

    return schema()
