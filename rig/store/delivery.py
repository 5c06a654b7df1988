"""From a journal to its database server: everything, once, whenever the server is there.

A group is committed on the server, then taken out of the journal. Whatever dies in between, the
server, this process or the network, the group is delivered again and finds its rows there. Of a long
backlog the next samples are read and written as they are sent while the server takes over these.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from sqlalchemy import Engine

from rig.store.copying import Parcel, encode
from rig.store.database import translated
from rig.store.presence import own_rig_id
from rig.store.server import receive, sign_of_life
from rig.store.waiting import Group, delivered_to, prune, read_group, read_samples_after


class _Packed(NamedTuple):
    """A group, and its samples as they are sent."""

    group: Group
    parcel: Parcel


def deliver(journal: Engine, server: Engine, go_on: Callable[[], bool] = lambda: True) -> int:
    """Deliver what waits, group by group, as long as ``go_on``; return how many rows that were.

    While somebody else delivers the same journal it is left to them. Raises StoreError; what is
    not delivered stays in the journal then.
    """
    moved = 0
    with ThreadPoolExecutor(1, "read ahead") as ahead:
        packed: _Packed | None = None
        while go_on():
            packed = packed or _pack(read_group(journal))
            following = ahead.submit(_pack_after, journal, packed.group)
            try:
                if not _hand_over(journal, server, packed):
                    break
            finally:
                coming = following.result()
            moved += packed.group.count
            packed = coming
    return moved


def deliver_group(journal: Engine, server: Engine) -> int:
    """Deliver one group and take it out of the journal; 0 when nothing waits, or somebody else does."""
    packed = _pack(read_group(journal))
    return packed.group.count if _hand_over(journal, server, packed) else 0


def show_life(journal: Engine, server: Engine, *, last: bool = False) -> None:
    """Let the server know that this rig is there; with ``last`` that its engine ends, as it should.

    Raises StoreError where the server is away, or not the one that has this journal's rows.
    """
    with translated(journal), journal.connect() as connection:
        rig_id = own_rig_id(connection)
    sign_of_life(server, *delivered_to(journal), rig_id, last=last)


def _pack(group: Group) -> _Packed:
    return _Packed(group, encode(group.samples))


def _pack_after(journal: Engine, group: Group) -> _Packed | None:
    following = read_samples_after(journal, group) if group.samples else None
    return None if following is None else _pack(following)


def _hand_over(journal: Engine, server: Engine, packed: _Packed) -> bool:
    """Say whether the server has the group, and it is out of the journal."""
    if not packed.group.count:
        return False
    journal_id, expected_id = delivered_to(journal)
    database_id = receive(server, journal_id, expected_id, *packed)
    if database_id is None:
        return False
    prune(journal, packed.group, database_id)
    return True
