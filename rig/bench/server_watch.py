"""A database server that stays away: nothing is lost and no run notices, but somebody has to know.

Data wait in the journal, on one disk of one computer, for as long as it takes; after a while that is a
warning, and after ten times as long an alarm. Knows no database: it is told how long.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.core.alarms import Severity

ALARM_TIMES = 10.0  # the patience of the bench file, until the warning becomes an alarm

Raise = Callable[[Severity, str], None]  # an alarm's severity, and what happened


class ServerWatch:
    """Raises each alarm once for as long as the server is away; ``patience_second`` is the bench's."""

    def __init__(self, patience_second: float, raise_alarm: Raise) -> None:
        self._patience_second, self._raise = patience_second, raise_alarm
        self._raised: Severity | None = None

    def look(self, away_second: float) -> None:
        """Take how long the server has been away by now; 0 while it is there."""
        severity = self._severity(away_second)
        if severity is not None and severity is not self._raised:
            minutes = away_second / 60.0
            self._raise(severity, f"the database server has been away for {minutes:.0f} min")
        self._raised = severity

    def _severity(self, away_second: float) -> Severity | None:
        if away_second < self._patience_second or not away_second:
            return None
        late = away_second >= ALARM_TIMES * self._patience_second
        return Severity.ALARM if late else Severity.WARNING
