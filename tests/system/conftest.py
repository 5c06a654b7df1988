"""A real PostgreSQL for whole runs."""

from __future__ import annotations

from tests.postgres import mortal, postgres

__all__ = ["mortal", "postgres"]
