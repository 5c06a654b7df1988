"""What somebody asked of a run: who, when, why. The same from the command line and from a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """One verb of rig/engine/states.py for one run; ``argument`` is where ``go to`` goes.

    ``asked_us`` is when, in UTC microseconds.
    """

    order_id: int
    run_id: str
    verb: str
    argument: str = ""
    who: str = ""
    reason: str = ""
    asked_us: int = 0

    @property
    def words(self) -> str:
        """What the event log says of it: ``stop, by maria@labpc3: smells of sulfide``."""
        return f"{self.verb}, by {self.who}" + (f": {self.reason}" if self.reason else "")
