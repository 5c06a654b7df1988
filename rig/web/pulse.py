"""While somebody watches: a look when something was committed, and all who watch are told at once.

One task looks, however many watch; it ends when the last has gone. Whoever was slow hears of the newest
look only, and nothing waits for him. Knows no events and no request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from rig.core.errors import StoreError
from rig.web.live_view import LiveView, Snapshot

TICK_SECOND = 0.025  # how often it is asked whether anything was committed: microseconds each time
# So long after a look the next one comes where nothing was committed: words have ages in them.
CALM_SECOND = 1.5
# Many processes may commit many times a second; a look at 64 channels is 0.01 s of processor time.
LEAST_GAP_SECOND = 0.1


@dataclass
class Pulse:
    """Wakes whoever watches ``view``. ``changed`` says whether there was a commit since it was asked last.

    ``calm_second`` is how long it waits at most: short where others may have committed elsewhere.
    """

    view: LiveView
    changed: Callable[[], bool] = lambda: False
    calm_second: float = CALM_SECOND
    tick_second: float = TICK_SECOND
    _watchers: int = 0
    _task: asyncio.Task[None] | None = None
    _beaten: asyncio.Condition = field(default_factory=asyncio.Condition)
    _beats: int = 0
    _snapshot: Snapshot | None = None
    _fault: Exception | None = None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep it beating as long as the block lasts."""
        self._watchers += 1
        if self._task is None or self._task.done():
            self._snapshot = self._fault = None  # what was seen last may be hours old
            self._task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def after(self, before: Snapshot | None) -> Snapshot | None:
        """Return a look that is not ``before``, once there is one; None where the very first one failed.

        Returns ``before`` itself when the house is closed. What a look may not raise it raises here.
        """
        beats = self._beats
        async with self._beaten:
            while not self.view.closed.is_set():
                if self._fault is not None:
                    raise RuntimeError("nobody looks any more") from self._fault
                newest = self._snapshot
                if newest is not None and (before is None or newest.number != before.number):
                    return newest
                if newest is None and self._beats != beats:
                    return None
                await self._beaten.wait()
        return before

    # --- the task -------------------------------------------------------------------------------

    async def _beat(self) -> None:
        try:
            await self._beat_on()
        except Exception as fault:  # a bug: all streams end; whoever comes back lets it try again
            self._fault = fault
        await self._wake()

    async def _beat_on(self) -> None:
        while not self.view.closed.is_set():
            with suppress(StoreError):  # away from the beginning: everybody waits together
                self._snapshot = await run_in_threadpool(self.view.newest)
            self._beats += 1
            await self._wake()
            await self._wait(self.view.clock.now())

    async def _wake(self) -> None:
        async with self._beaten:
            self._beaten.notify_all()

    async def _wait(self, looked_second: float) -> None:
        """Return when it is time to look again: at an order's word at once, after a commit soon."""
        committed = False
        while not self.view.closed.is_set():
            await asyncio.sleep(self.tick_second)
            since = self.view.clock.now() - looked_second
            committed = await self._was_committed() or committed
            if self.view.is_expired or since >= self.calm_second:
                break
            if committed and since >= LEAST_GAP_SECOND:
                break
        self.view.expire()

    async def _was_committed(self) -> bool:
        try:
            return await run_in_threadpool(self.changed)
        except StoreError:  # the next look says so, in words
            return False
