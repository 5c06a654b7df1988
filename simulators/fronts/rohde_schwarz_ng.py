"""An R&S NGU401 source meter or NGM202 supply on its wire.

The instrument stands in rohde_schwarz_ng_supply.py, an output in rohde_schwarz_ng_output.py, the
commands in rohde_schwarz_ng_commands.py. The identity's layout is [V] in the sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.core.errors import BadInput, Problem
from simulators.fronts.rohde_schwarz_ng_commands import TREES
from simulators.fronts.rohde_schwarz_ng_output import MODELS, Output, Ratings
from simulators.fronts.rohde_schwarz_ng_supply import Supply
from simulators.fronts.scpi import Action, ScpiError
from simulators.fronts.scpi_front import ScpiFront
from simulators.interfaces import Cell

# The NGM202's article number is not in the sheet.
_ARTICLES = {"NGU401": "3639.3763k04", "NGM202": "0000.0000k00"}


class RohdeSchwarzNgFront(ScpiFront[Supply]):
    """The instrument as a Front. ``cell`` is at output 1, ``cells`` at 1, 2, ... in its place."""

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        model: str = "NGU401",
        cells: Sequence[Cell] | None = None,
        noise: bool = True,
        serial: str = "101267",
        firmware: str = "03.068",
    ) -> None:
        if model not in MODELS:
            message = f"got model {model!r}, expected {' or '.join(MODELS)}"
            raise BadInput(Problem(name, message, example="model: NGU401"))
        outputs = _outputs(name, MODELS[model], cells or (cell,), seed=seed, noise=noise)
        identity = f"Rohde&Schwarz,{model},{_ARTICLES[model]}/{serial},{firmware}"
        super().__init__(Supply(identity, outputs), TREES[model])

    def compile(self, message: bytes) -> tuple[Action[Supply], ...]:
        """Refuse a channel list that follows its question mark without a space with -103."""
        if b"?(" in message:
            return (_refuse_missing_space,)
        return super().compile(message)

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``overtemperature`` happen, or a ``sense_lead`` come off; a value of 0 mends it.

        Raises BadInput for any other kind.
        """
        self.receive(b"", now_second)
        for output in self.instrument.outputs:
            if kind == "sense_lead":
                output.sense_lead_open = value != 0
                output.act(now_second)
            elif kind == "overtemperature" and value == 0:
                output.overtemperature = False
            elif kind == "overtemperature":
                output.overheat(now_second)
            else:
                raise BadInput(Problem(output.name, f"this instrument has no fault {kind!r}"))


def _refuse_missing_space(_supply: Supply) -> None:
    raise ScpiError(-103, "Invalid separator")


def _outputs(
    name: str, ratings: Ratings, cells: Sequence[Cell], *, seed: int, noise: bool
) -> tuple[Output, ...]:
    """Return the outputs; those that no cell is left for are not connected."""
    if len(cells) > ratings.outputs:
        raise BadInput(Problem(name, f"got {len(cells)} cells for {ratings.outputs} outputs"))
    several = ratings.outputs > 1
    return tuple(
        Output(
            f"{name}/{index + 1}" if several else name,
            cells[index] if index < len(cells) else None,
            ratings,
            seed=seed + index,
            noise=noise,
        )
        for index in range(ratings.outputs)
    )
