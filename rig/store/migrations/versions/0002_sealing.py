"""Version 2: sealed runs, and what else came in since.

Each table that gained a column has a line here, each new table its block; tests/store/test_upgrade.py
compares the outcome with rig/store/tables.py, column by column, on both databases. Columns that
version 1 has rows without must be nullable or have a server_default. Types are spelled out, not taken
from tables.py, which goes on changing after this release.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add to a database of version 1 what version 2 has more."""
    _columns()
    _segment()
    _accounts()
    _alert_rules()
    _revision()
    op.create_index("run_newest", "run", ["rig_id", "channel", "created_us", "state", "run_id"])


def _columns() -> None:
    """Columns that tables of version 1 gained: ``_add("sample", sa.Column(...))``, spool likewise."""
    _add("run", sa.Column("origin", sa.JSON))
    _add("step", sa.Column("own_cycle_count", sa.Integer))
    for table in ("sample", "spool", "resistance"):
        _add(table, sa.Column("surface_temperature_celsius", sa.Float))
    for name in (
        "surface_temperature_celsius",
        "surface_temperature_span_kelvin",
        "applied_pressure_pa",
    ):
        _add("spectrum", sa.Column(name, sa.Float))
    _add("spectrum", sa.Column("objection", sa.Text), sa.Column("repeat_of", sa.Integer))
    _add(
        "feed",
        sa.Column("rig_id", sa.String(32)),
        sa.Column("hostname", sa.String),
        sa.Column("last_seen_us", sa.BigInteger),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("clock_offset_second", sa.Float),
        sa.Column("clock_uncertainty_second", sa.Float),
    )


def _segment() -> None:
    """Version 1 made the table and never wrote to it."""
    op.drop_table("segment")
    op.create_table(
        "segment",
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("seq_first", sa.BigInteger, nullable=False),
        sa.Column("seq_last", sa.BigInteger, nullable=False),
        sa.Column("test_time_first_second", sa.Float, nullable=False),
        sa.Column("test_time_last_second", sa.Float, nullable=False),
        sa.Column("ts_us_last", sa.BigInteger, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("sealed_us", sa.BigInteger, nullable=False),
        sa.Column("dropped_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("run_id", "seq_first"),
    )


def _accounts() -> None:
    op.create_table(
        "user",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "token",
        sa.Column("token_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("user_name", sa.String, sa.ForeignKey("user.name"), nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger),
        sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    )


def _alert_rules() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("rule_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("runs_where", sa.Text, nullable=False),
        sa.Column("quantity", sa.String, nullable=False),
        sa.Column("statistic", sa.String, nullable=False),
        sa.Column("reference_cycle", sa.Integer),
        sa.Column("first_cycle", sa.Integer, nullable=False),
        sa.Column("comparison", sa.String, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("consecutive", sa.Integer, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("recipients", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("made_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alert_watch",
        sa.Column("rule_id", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("cycle_from", sa.Integer, nullable=False),
        sa.Column("cycle_judged", sa.Integer, nullable=False),
        sa.Column("mark", sa.String, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "run_id"),
    )
    op.create_table(
        "alert_firing",
        sa.Column("rule_id", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("place_last", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("fired_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("alarm_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "run_id", "place"),
    )


def _revision() -> None:
    op.create_table(
        "revision",
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("revision_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("protocol_file", sa.String, nullable=False),
        sa.Column("protocol_text", sa.Text, nullable=False),
        sa.Column("protocol_sha256", sa.String(64), nullable=False),
        sa.Column("variables", sa.JSON, nullable=False),
        sa.Column("instead_of_sha256", sa.String(64), nullable=False),
        sa.Column("may_widen", sa.Boolean, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_us", sa.BigInteger, nullable=False),
        sa.Column("difference", sa.JSON),
        sa.Column("applied_us", sa.BigInteger),
        sa.Column("test_time_second", sa.Float),
        sa.Column("seq_first", sa.BigInteger),
        sa.Column("step_count", sa.Integer),
        sa.PrimaryKeyConstraint("run_id", "revision_id"),
    )


def _add(table: str, *columns: sa.Column[object]) -> None:
    for column in columns:
        op.add_column(table, column)
