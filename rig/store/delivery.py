"""From a journal to its database server: everything, once, whenever the server is there.

A group is committed on the server, then taken out of the journal. Whatever dies in between, the
server, this process or the network, the group is delivered again and finds its rows there.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from rig.store.server import receive
from rig.store.waiting import delivered_to, prune, read_group


def deliver(journal: Engine, server: Engine, go_on: Callable[[], bool] = lambda: True) -> int:
    """Deliver what waits, group by group, as long as ``go_on``; return how many rows that were.

    While somebody else delivers the same journal it is left to them. Raises StoreError; what is
    not delivered stays in the journal then.
    """
    moved = 0
    while go_on() and (count := deliver_group(journal, server)):
        moved += count
    return moved


def deliver_group(journal: Engine, server: Engine) -> int:
    """Deliver one group and take it out of the journal; 0 when nothing waits, or somebody else does."""
    group = read_group(journal)
    if not group.count:
        return 0
    journal_id, expected_id = delivered_to(journal)
    database_id = receive(server, journal_id, expected_id, group)
    if database_id is None:
        return 0
    prune(journal, group, database_id)
    return group.count
