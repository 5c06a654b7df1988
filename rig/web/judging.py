"""Rules judged beside the page: a thread that looks every few seconds, and one that tells of it.

Whoever serves the page does it, so that an engine that died is told of, too. No request waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rig.bench.notify_file import NotifyEntry
from rig.bench.rule_judging import TURN_SECOND, RuleJudge
from rig.core.clock import RealClock
from rig.core.errors import RigError
from rig.web.house import House

_LOG = logging.getLogger("rig.rules")


@contextmanager
def judged(
    house: House,
    entries: Sequence[NotifyEntry] = (),
    sender: str = "rig serve",
    every_second: float = TURN_SECOND,
) -> Iterator[None]:
    """Judge the rules of a house as long as this lasts; ``entries`` are told of what they raise."""
    judge = RuleJudge(house.store, house.history, house.clock, house.rule_troubles)
    over = threading.Event()
    with ExitStack() as closing:
        if entries:
            _tell(closing, house, entries, sender)
        thread = threading.Thread(
            target=_look_again_and_again, args=(judge, house, over, every_second), name="rule judge"
        )
        thread.start()
        closing.callback(thread.join)
        closing.callback(house.rules_changed.set)
        closing.callback(over.set)
        yield


def _tell(closing: ExitStack, house: House, entries: Sequence[NotifyEntry], sender: str) -> None:
    from rig.bench.rule_notifying import rule_notifier  # noqa: PLC0415 - it loads all of Apprise

    notifier = rule_notifier(entries, house.store, RealClock(), sender)
    closing.callback(notifier.close)
    notifier.start()


def _look_again_and_again(
    judge: RuleJudge, house: House, over: threading.Event, every_second: float
) -> None:
    """Look until it is over. A database that is away now is looked at again; so it is after a bug."""
    said = ""
    while not over.is_set():
        trouble = ""
        try:
            if judge.turn():
                house.live.expire()
        except RigError as failure:
            trouble = str(failure)
        except Exception as bug:  # a dead-man's switch must not die of one rule
            trouble = f"internal error: {bug!r}"
        if trouble and trouble != said:
            _LOG.warning("rules cannot be judged now: %s", trouble)
        said = trouble
        house.rules_changed.wait(every_second)
        house.rules_changed.clear()
