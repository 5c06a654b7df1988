"""Committing from the engine's loop, and bearing a store that fails for a while.

A file that is locked, a disk that is full: nothing is lost then, it is kept in memory and tried
again each second. But a cell whose data are nowhere is not driven for ever: after a configured time,
or a number of rows, the failure is raised, and everything is made safe.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.core.clock import Clock
from rig.core.errors import StoreError
from rig.store.recorder import Recorder

MOST_ROWS = 250_000  # about 100 MB of samples

AGAIN_SECOND = 1.0

Tell = Callable[[str, str], None]  # an event's kind and message, for every run


class Storing:
    """Commits what ``recorder`` keeps when it is due; ``tell`` puts failures on record."""

    def __init__(
        self, recorder: Recorder, clock: Clock, patience_second: float, tell: Tell
    ) -> None:
        self._recorder, self._clock, self._tell = recorder, clock, tell
        self._patience_second = patience_second
        self._failing_since: float | None = None

    def commit_if_due(self) -> None:
        """Commit where it is due. Raises StoreError once it has failed for too long."""
        try:
            committed = self._recorder.commit_if_due()
        except StoreError as failure:
            self._bear(failure)
            return
        if committed and self._failing_since is not None:
            second = self._clock.now() - self._failing_since
            self._failing_since = None
            self._tell("store back", f"data are stored again, nothing is lost: {second:.0f} s late")

    def close(self) -> None:
        """Commit the rest, with the same patience: the cells are disconnected, the data are not lost yet."""
        while True:
            try:
                self._recorder.close()
                return
            except StoreError as failure:
                self._bear(failure)
            self._clock.wait_until(self._clock.now() + AGAIN_SECOND)

    def _bear(self, failure: StoreError) -> None:
        now = self._clock.now()
        if self._failing_since is None:
            self._failing_since = now
            if self._patience_second > 0:
                patience = f"{self._patience_second:g} s"
                self._tell(
                    "store late", f"{failure}; kept in memory, cells go safe after {patience}"
                )
        late = now - self._failing_since >= self._patience_second
        if late or self._recorder.waiting_rows >= MOST_ROWS:
            raise failure
