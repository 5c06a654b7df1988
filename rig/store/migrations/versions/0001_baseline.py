"""Version 1: what the first release made. The steps begin here, so there is nothing to do."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """A database of version 1 was made by that release itself."""
