"""What a bench file says of the bench as a whole: its database, its pace, and whose patience ends when."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.bench.collecting import Collector
from rig.core.errors import BadInput
from rig.core.units import quantity
from rig.protocol.source import Node

WATCHDOG_SECOND = 10.0
# Beats come once a second; a busy computer that is a second late must not cost a run.
WATCHDOG_LEAST_SECOND = 3.0
STORE_PATIENCE_SECOND = 60.0
SERVER_PATIENCE_SECOND = 600.0
_WATCHDOG_EXAMPLE = "watchdog: 10 s, or watchdog: off"


@dataclass(frozen=True, slots=True)
class Settings:
    """``speed`` is for benches of served simulators; a watchdog that is off has no second."""

    database: str | None
    speed: float | None
    watchdog_second: float | None
    store_patience_second: float
    server_patience_second: float


def read_settings(to: Collector, root: Node) -> Settings:
    """Return what stands at the top of a bench file; what is wrong goes to the collector."""
    reader = _Reader(to, root)
    return Settings(
        reader.database(),
        reader.speed(),
        reader.watchdog(),
        reader.store_patience(),
        reader.server_patience(),
    )


class _Reader:
    def __init__(self, to: Collector, root: Node) -> None:
        self._to, self._root = to, root

    def database(self) -> str | None:
        node = self._root.get("database")
        if node is not None and not isinstance(node.value, str):
            example = "database: sqlite:///rig.db"
            self._to.refuse(node, f"got {node.plain()!r}, expected a database URL", example)
            return None
        return str(node.value) if node else None

    def speed(self) -> float | None:
        node = self._root.get("speed")
        if node is None:
            return None
        if (
            isinstance(node.value, bool)
            or not isinstance(node.value, int | float)
            or node.value <= 0
        ):
            self._to.refuse(
                node, f"got {node.plain()!r}, expected how many times faster than life", "speed: 20"
            )
            return None
        return float(node.value)

    def watchdog(self) -> float | None:
        """Return after how many silent seconds the cells are disconnected without us; None: never."""
        node = self._root.get("watchdog")
        if node is None:
            return WATCHDOG_SECOND
        if node.value == "off":
            return None
        try:
            second = quantity(node.plain(), "time", node.where)
        except BadInput as bad:
            self._to.problems += [replace(p, example=_WATCHDOG_EXAMPLE) for p in bad.problems]
            return None
        if second < WATCHDOG_LEAST_SECOND:
            message = f"got {node.plain()!r}, expected {WATCHDOG_LEAST_SECOND:g} s or more, or off"
            self._to.refuse(node, message, _WATCHDOG_EXAMPLE)
        return second

    def store_patience(self) -> float:
        """Return for how long cells are driven although their data cannot be stored."""
        node = self._root.get("store_patience")
        second = None if node is None else self._to.quantity(node, "time")
        if node is not None and second is not None and second < 0:
            self._to.refuse(
                node, f"got {node.plain()!r}, expected zero or more", "store_patience: 60 s"
            )
        return STORE_PATIENCE_SECOND if second is None else second

    def server_patience(self) -> float:
        """Return for how long a database server may be away before that is an alarm."""
        node = self._root.get("server_patience")
        return self._to.time_above_zero(node, "server_patience: 10 min") or SERVER_PATIENCE_SECOND
