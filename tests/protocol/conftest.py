"""What the protocol tests share: a header that allows much, and a way to load steps only."""

import textwrap
from collections.abc import Callable

import pytest

from rig.protocol import loads_protocol
from rig.protocol.program import CellFacts, Program

HEADER = """\
protocol: 1
name: test
cell: {area: 0.5 cm^2, capacity: 2 mAh}
safety: {voltage: [-1 V, 5 V], current: 20 mA, temperature: [-40 degC, 100 degC]}
"""
HEADER_LINES = HEADER.count("\n") + 1  # and the line `steps:`


@pytest.fixture
def load_steps() -> Callable[..., Program]:
    """Compile a list of steps under the common header; line 1 of the steps is line 6 of the file."""

    def load(
        steps: str,
        header: str = HEADER,
        variables: dict[str, str] | None = None,
        cell: CellFacts | None = None,
    ) -> Program:
        text = header + "steps:\n" + textwrap.indent(textwrap.dedent(steps).strip("\n"), "  ")
        return loads_protocol(text + "\n", file_name="f.yaml", variables=variables, cell=cell)

    return load
