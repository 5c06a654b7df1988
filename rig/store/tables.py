"""The tables, once, for SQLite and PostgreSQL. Column names are quantity names (Battery Data Format).

``spool`` is the acknowledge point: samples in order of arrival, so that 64 runs that each add one
row a second touch a page or two and not 64 (measured: 238 bytes of log a row against 6,410 in a
table clustered by run). A forwarder moves its rows into ``sample`` in large groups.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()

# Version of the schema, kept in `meta`. A newer database is refused, an older one until somebody has
# called `rig db upgrade`. A new column or table stands in rig/store/migrations/versions/, too.
SCHEMA_VERSION = 2

# The rig of runs that were brought in from files of cyclers: no rig's own.
IMPORTED_RIG = "imported"

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", String))

rig = Table(
    "rig",
    metadata,
    Column("rig_id", String(32), primary_key=True),
    Column("name", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

cell = Table(
    "cell",
    metadata,
    Column("cell_id", String(32), primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("chemistry", String),
    Column("area_square_centimetre", Float),
    Column("thickness_centimetre", Float),
    Column("mass_gram", Float),
    Column("capacity_ah", Float),
    Column("symmetric", Boolean),
    Column("meta", JSON),
)

run = Table(
    "run",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("rig_id", String(32), ForeignKey("rig.rig_id"), nullable=False),
    Column("cell_id", String(32), ForeignKey("cell.cell_id")),
    Column("channel", String, nullable=False),
    Column("protocol_name", String, nullable=False),
    Column("protocol_file", String, nullable=False),
    Column("protocol_text", Text, nullable=False),
    Column("protocol_sha256", String(64), nullable=False),
    Column("variables", JSON, nullable=False),
    Column("software_version", String, nullable=False),
    Column(
        "bench", JSON, nullable=False
    ),  # snapshot of the bench file and of who identified as what
    Column("speed", String, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    # Of a run that was read from a cycler's file: which, its digest, what is odd; else null.
    Column("origin", JSON),
)

# The newest run of each channel without a look at protocol texts: a page asks twice a second.
Index("run_newest", run.c.rig_id, run.c.channel, run.c.created_us, run.c.state, run.c.run_id)

# Where a run stands; `simulation` is the state of simulated cells, so that a rehearsal resumes.
cursor = Table(
    "cursor",
    metadata,
    Column("run_id", String(32), ForeignKey("run.run_id"), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("simulation", Text),
)


def _sample_columns() -> list[Column[object]]:
    """The columns of rig.core.records.SAMPLE_COLUMNS, in its order."""
    return [
        Column("run_id", String(32), nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("ts_us", BigInteger, nullable=False),
        Column("test_time_second", Float, nullable=False),
        Column("step_count", Integer, nullable=False),
        Column("step_id", Integer, nullable=False),
        Column("cycle_count", Integer, nullable=False),
        Column("phase", String),
        Column("tag", String),
        Column("voltage_volt", Float),
        Column("current_ampere", Float),
        Column("ambient_temperature_celsius", Float),
        Column("surface_temperature_celsius", Float),
        Column("charging_capacity_ah", Float, nullable=False),
        Column("discharging_capacity_ah", Float, nullable=False),
        Column("charging_energy_wh", Float, nullable=False),
        Column("discharging_energy_wh", Float, nullable=False),
        Column("applied_pressure_pa", Float),
        Column("flags", Integer, nullable=False),
        Column("aux", JSON),
    ]


sample = Table(
    "sample",
    metadata,
    *_sample_columns(),
    PrimaryKeyConstraint("run_id", "seq"),
    sqlite_with_rowid=False,
)

spool = Table(
    "spool",
    metadata,
    # BigInteger would not become SQLite's rowid; arrival order needs just that.
    Column("arrival", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    *_sample_columns(),
)

step = Table(
    "step",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("step_count", Integer, nullable=False),
    Column("step_id", Integer, nullable=False),
    Column("cycle_count", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("words", String, nullable=False),
    Column("phase", String),
    Column("tag", String),
    Column("name", String),
    Column("began_second", Float, nullable=False),
    Column("ended_second", Float, nullable=False),
    Column("seq_first", BigInteger, nullable=False),
    Column("seq_last", BigInteger, nullable=False),  # seq_first - 1 when the step kept no sample
    Column("capacity_ah", Float, nullable=False),
    Column("energy_wh", Float, nullable=False),
    Column("reason", String, nullable=False),
    # Counted by charge and discharge, beside the cycle number of the file; see rig/formats/counting.py.
    Column("own_cycle_count", Integer),
    PrimaryKeyConstraint("run_id", "step_count"),
)

cycle = Table(
    "cycle",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("cycle_count", Integer, nullable=False),
    Column("phase", String),
    Column("seq_first", BigInteger, nullable=False),
    Column("seq_last", BigInteger, nullable=False),
    Column("charging_capacity_ah", Float, nullable=False),
    Column("discharging_capacity_ah", Float, nullable=False),
    Column("charging_energy_wh", Float, nullable=False),
    Column("discharging_energy_wh", Float, nullable=False),
    PrimaryKeyConstraint("run_id", "cycle_count"),
)


def _place_in_the_run() -> list[Column[object]]:
    """Where in its run something was measured, and when."""
    return [
        Column("step_count", Integer, nullable=False),
        Column("cycle_count", Integer, nullable=False),
        Column("phase", String),
        Column("tag", String),
        Column("name", String),
        Column("test_time_second", Float, nullable=False),
        Column("ts_us", BigInteger, nullable=False),
    ]


spectrum = Table(
    "spectrum",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("spectrum_count", Integer, nullable=False),
    *_place_in_the_run(),
    Column("amplitude_volt", Float),
    Column("amplitude_ampere", Float),
    Column("bias_volt", Float),
    Column("open_circuit_before_volt", Float),
    Column("open_circuit_after_volt", Float),
    Column("correction", JSON),  # the open and short that its points are corrected with, or null
    Column("ambient_temperature_celsius", Float),
    Column("ambient_temperature_span_kelvin", Float),
    Column("surface_temperature_celsius", Float),  # the cell's own, where a sensor reads it
    Column("surface_temperature_span_kelvin", Float),
    Column("applied_pressure_pa", Float),
    Column("complete", Boolean, nullable=False),
    Column("objection", Text),  # what spoke against it when it was whole, else null
    Column("repeat_of", Integer),  # the spectrum of the same step that it was measured again for
    PrimaryKeyConstraint("run_id", "spectrum_count"),
)

impedance_point = Table(
    "impedance_point",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("spectrum_count", Integer, nullable=False),
    Column("point_index", Integer, nullable=False),
    Column("ts_us", BigInteger, nullable=False),
    Column("frequency_hertz", Float, nullable=False),
    # Null is a point that the instrument gave without a number: overload, an open range.
    Column("real_impedance_ohm", Float),
    Column("imaginary_impedance_ohm", Float),
    # What the analyser itself said, where the point is corrected for the fixture.
    Column("measured_real_impedance_ohm", Float),
    Column("measured_imaginary_impedance_ohm", Float),
    Column("repeated", Boolean, nullable=False),  # one of the lowest points, measured once more
    Column("flags", Integer, nullable=False),
    PrimaryKeyConstraint("run_id", "spectrum_count", "point_index"),
)

# One AC resistance and open-circuit voltage by a resistance meter, at its own frequency.
resistance = Table(
    "resistance",
    metadata,
    Column("run_id", String(32), nullable=False),
    *_place_in_the_run(),
    Column("resistance_ohm", Float),
    Column("voltage_volt", Float),
    Column("ambient_temperature_celsius", Float),
    Column("surface_temperature_celsius", Float),
    Column("flags", Integer, nullable=False),
    PrimaryKeyConstraint("run_id", "step_count"),
)

event = Table(
    "event",
    metadata,
    Column(
        "event_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("run_id", String(32), nullable=False, index=True),
    Column("ts_us", BigInteger, nullable=False),
    Column("test_time_second", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("message", Text, nullable=False),
)

# What went wrong, latched until a person acknowledges it: the fields of rig.core.alarms.Alarm.
# ``channel`` and ``run_id`` are empty where it is the whole bench's.
alarm = Table(
    "alarm",
    metadata,
    Column("alarm_id", String(32), primary_key=True),
    Column("run_id", String(32), nullable=False, index=True),
    Column("channel", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("value", Float),
    Column("limit_value", Float),
    Column("unit", String, nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("test_time_second", Float),
    Column("times", Integer, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("acknowledged_us", BigInteger),
    Column("acknowledged_by", String, nullable=False),
    Column("acknowledge_reason", Text, nullable=False),
)

# One of a kind is latched on a channel, whoever writes.
Index(
    "alarm_latched",
    alarm.c.channel,
    alarm.c.kind,
    unique=True,
    sqlite_where=alarm.c.acknowledged_us.is_(None),
    postgresql_where=alarm.c.acknowledged_us.is_(None),
).ddl_if(dialect="sqlite")  # a server has the alarms of many rigs, each with a channel A1

# The one door to a running engine: who asked for which verb, when and why, and what became of it.
# A row without an outcome is an order that nobody has answered yet; see rig/store/orders.py.
journal = Table(
    "journal",
    metadata,
    Column(
        "journal_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("run_id", String(32), nullable=False, index=True),
    Column("ts_us", BigInteger, nullable=False),
    Column("verb", String, nullable=False),
    Column("argument", String, nullable=False, server_default=""),
    Column("who", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("outcome", String),  # done, refused, failed
    Column("answer", Text),
    Column("answered_us", BigInteger),
)

Index(
    "journal_unanswered",
    journal.c.run_id,
    sqlite_where=journal.c.outcome.is_(None),
    postgresql_where=journal.c.outcome.is_(None),
)

# The texts of a protocol that was changed while its run went on; see rig/store/revisions.py. ``number`` 1
# is what the run began with; without one it was asked for, and refused. `run` has the one in force.
revision = Table(
    "revision",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("revision_id", String(32), nullable=False),
    Column("number", Integer),
    Column("protocol_file", String, nullable=False),
    Column("protocol_text", Text, nullable=False),
    Column("protocol_sha256", String(64), nullable=False),
    Column("variables", JSON, nullable=False),
    Column("instead_of_sha256", String(64), nullable=False),  # the text that it was written for
    Column("may_widen", Boolean, nullable=False),  # who asked may widen a limit
    Column("who", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("difference", JSON),  # in words, to the one before
    Column("applied_us", BigInteger),
    Column("test_time_second", Float),
    Column("seq_first", BigInteger),  # the first sample under it
    Column("step_count", Integer),  # the step that was going on
    PrimaryKeyConstraint("run_id", "revision_id"),
)

result = Table(
    "result",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("method", String, nullable=False),
    Column("version", String, nullable=False),
    Column("inputs_sha256", String(64), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("values", JSON, nullable=False),  # with units in the keys; covariance within
    Column("flags", JSON, nullable=False),
    PrimaryKeyConstraint("run_id", "method", "inputs_sha256"),
)

# How far the forwarder has come, per run; see rig/store/forwarder.py.
ingest_cursor = Table(
    "ingest_cursor",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("seq_next", BigInteger, nullable=False),
)

# What of a finished run is sealed to Parquet; see rig/store/sealing.py. Never of a journal.
segment = Table(
    "segment",
    metadata,
    Column("run_id", String(32), nullable=False),
    Column("seq_first", BigInteger, nullable=False),
    Column("seq_last", BigInteger, nullable=False),
    Column("test_time_first_second", Float, nullable=False),
    Column("test_time_last_second", Float, nullable=False),
    Column("ts_us_last", BigInteger, nullable=False),
    Column("path", String, nullable=False),  # relative to the folder of segments
    Column("sha256", String(64), nullable=False),  # of the file
    Column("bytes", BigInteger, nullable=False),
    Column("columns", JSON, nullable=False),  # name -> sha256 of its values, see segments.py
    Column("sealed_us", BigInteger, nullable=False),
    Column("dropped_us", BigInteger),  # since when its rows need not be in `sample` any more
    PrimaryKeyConstraint("run_id", "seq_first"),
)

# --- a journal file and its database server; see rig/store/journal.py --------------------------------

# In a journal: rows that have changed and are not on the server yet. Filled by triggers; ``key`` is
# the row's primary key as a JSON list, ``since_us`` when it began to wait. No number is given twice.
outbox = Table(
    "outbox",
    metadata,
    Column("change_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("table_name", String, nullable=False),
    Column("key", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Index("outbox_row", "table_name", "key"),
    sqlite_autoincrement=True,
)

# In a journal: how far the server has each run's samples, which are no longer here.
forwarded = Table(
    "forwarded",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("seq_next", BigInteger, nullable=False),
    Column("ts_us", BigInteger, nullable=False),  # of the newest of them
)

# On the server: the journals it has rows from. Each numbers its events from 1; its own number here
# keeps them apart.
feed = Table(
    "feed",
    metadata,
    Column("feed_id", BigInteger, primary_key=True, autoincrement=True),
    Column("journal_id", String(32), nullable=False, unique=True),
    # Signs of life, by the server's clock; see rig/store/presence.py.
    Column("rig_id", String(32)),
    Column("hostname", String),
    Column("last_seen_us", BigInteger),
    Column("ended_us", BigInteger),  # its engine has said good-bye
    Column("clock_offset_second", Float),  # the rig's minus the server's
    Column("clock_uncertainty_second", Float),
)

# --- rules that say when a result is an alarm; see rig/store/rules.py -----------------------------

# The fields of rig.core.alert_rules.AlertRule. A rule belongs to the database that it was made in.
alert_rule = Table(
    "alert_rule",
    metadata,
    Column("rule_id", String(32), primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("runs_where", Text, nullable=False),
    Column("quantity", String, nullable=False),
    Column("statistic", String, nullable=False),
    Column("reference_cycle", Integer),
    Column("first_cycle", Integer, nullable=False),
    Column("comparison", String, nullable=False),
    Column("threshold", Float, nullable=False),  # in the base unit of what is compared
    Column("consecutive", Integer, nullable=False),
    Column("severity", String, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

# How far a rule has looked at a run: so that a restart neither forgets nor fires twice.
alert_watch = Table(
    "alert_watch",
    metadata,
    Column("rule_id", String(32), nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("cycle_from", Integer, nullable=False),  # what broke it before that cycle is old news
    Column("cycle_judged", Integer, nullable=False),
    Column("mark", String, nullable=False),  # of the newest data, for a rule of silence
    Column("seen_us", BigInteger, nullable=False),  # when that came, by the clock of who looks
    PrimaryKeyConstraint("rule_id", "run_id"),
)

# Where a rule fired: an episode of a run, from its first cycle that broke the rule to its last.
alert_firing = Table(
    "alert_firing",
    metadata,
    Column("rule_id", String(32), nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("place", BigInteger, nullable=False),  # cycle; of a silence when it began, UTC us
    Column("place_last", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("fired_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),  # since when it is well again, or the run is over
    Column("alarm_id", String(32), nullable=False),
    PrimaryKeyConstraint("rule_id", "run_id", "place"),
)

# --- who may come in; see rig/store/accounts.py ---------------------------------------------------

user = Table(
    "user",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),  # sessions that began before it are over
)

token = Table(
    "token",
    metadata,
    Column("token_id", String(32), primary_key=True),
    Column("name", String, nullable=False),
    Column("user_name", String, ForeignKey("user.name"), nullable=False),
    Column("role", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("secret_sha256", String(64), nullable=False, unique=True),
)
