"""The tables of the store. SQLite and PostgreSQL alike; `migrations/` makes them.

Evidence is kept as it came. What is appraised from it (`verdicts`) can be made anew at any time;
what people decided (`acts`) is only ever added to.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from casemate.fleet.store.schema_base import METADATA as METADATA
from casemate.fleet.store.schema_base import of_enclosure as _of_enclosure
from casemate.fleet.store.schema_base import of_incident as _of_incident
from casemate.fleet.store.schema_operation import ACT_SIGNATURES as ACT_SIGNATURES
from casemate.fleet.store.schema_operation import DISPLAYS as DISPLAYS
from casemate.fleet.store.schema_operation import LEASES as LEASES
from casemate.fleet.store.schema_operation import NONCES as NONCES
from casemate.fleet.store.schema_operation import PASSKEYS as PASSKEYS
from casemate.fleet.store.schema_operation import TRUSTS as TRUSTS
from casemate.fleet.store.schema_operation import WALKS as WALKS

ENCLOSURES = Table(
    "enclosures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("serial", String(255), nullable=False),
    Column("origin", String(255), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("site", String(255), nullable=False),
    Column("reference", LargeBinary, nullable=False),
    Column("policy", LargeBinary, nullable=False),
    Column("added_s", BigInteger, nullable=False),
    UniqueConstraint("name", "serial"),
    Index("ix_enclosures_site", "site", "name", "serial"),
)
"""Enclosures with the reference values and the policy of this instance's party."""

ENTRIES = Table(
    "entries",
    METADATA,
    _of_enclosure(key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
"""Entries of an enclosure's log, as they came."""

NOTES = Table(
    "notes",
    METADATA,
    _of_enclosure(key=True),
    Column("digest", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_notes_size", "enclosure_id", "size"),
)
"""Signed checkpoints, with their lines."""

FORKS = Table(
    "forks",
    METADATA,
    _of_enclosure(key=True),
    Column("digest", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)
"""Tokens that the enclosure's keys signed for a place that another token has."""

VERDICTS = Table(
    "verdicts",
    METADATA,
    _of_enclosure(key=True),
    Column("state", String(32), nullable=False),
    Column("worst", String(16), nullable=False),
    Column("headline", Text, nullable=False),
    Column("since_s", BigInteger),
    Column("seen_s", BigInteger),
    Column("fresh_until_s", BigInteger),
    Column("tokens", BigInteger, nullable=False),
    Column("proven", BigInteger, nullable=False),
    Column("appraised_s", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_verdicts_state", "state"),
    Index("ix_verdicts_fresh_until_s", "fresh_until_s"),
)
"""The last appraisal. fresh_until_s: until when the state may be shown; NULL: not at all."""

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", Integer, primary_key=True),
    _of_enclosure(),
    Column("severity", String(16), nullable=False),
    Column("opened_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    Column("acknowledged_by", String(255)),
    Column("acknowledged_s", BigInteger),
    Column("disposed_s", BigInteger),
    Column("outcome", String(32)),
    Index("ix_incidents_enclosure_id", "enclosure_id", "disposed_s"),
    Index("ix_incidents_disposed_s", "disposed_s", "severity"),
)
"""What needs a human's decision: at most one of an enclosure is not disposed."""

TRIGGERS = Table(
    "triggers",
    METADATA,
    _of_incident(key=True),
    Column("finding", String(64), primary_key=True),
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    _of_enclosure(),
    Column("severity", String(16), nullable=False),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("at_s", BigInteger),
    Column("first_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Index("ix_triggers_enclosure_id", "enclosure_id"),
)
"""Findings that belong to an incident. token: -1 for the whole. live: it holds now."""

ACTS = Table(
    "acts",
    METADATA,
    Column("id", Integer, primary_key=True),
    _of_incident(),
    Column("at_s", BigInteger, nullable=False),
    Column("person", String(255), nullable=False),
    Column("role", String(32), nullable=False),
    Column("party", String(255), nullable=False),
    Column("act", String(16), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen", String(64), nullable=False),
    Index("ix_acts_incident_id", "incident_id"),
)
"""What people did with an incident. seen: digest of the triggers that they had before them."""

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("party", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
)

CODES = Table(
    "codes",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)
"""Codes to sign in with, once. A code is gone when it was used."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("seen_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)

MACHINES = Table(
    "machines",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    _of_enclosure(),
    Column("added_s", BigInteger, nullable=False),
)
"""Certificates (SHA-256) of the controllers that may bring evidence, each of one enclosure."""

ERRANDS = Table(
    "errands",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at_s", BigInteger, nullable=False),
    Column("what", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
)
"""What was done on the machine itself, until the service has it in its audit log."""

# ---- Redfish (decision 41) ----

REDFISH_ACCOUNTS = Table(
    "redfish_accounts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("party", String(255), nullable=False),
    Column("secret", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False),
)
"""Accounts of machines that read by Redfish. secret: scrypt of a password, with its salt."""

REDFISH_SESSIONS = Table(
    "redfish_sessions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("account_id", Integer, ForeignKey("redfish_accounts.id"), nullable=False),
    Column("begun_s", BigInteger, nullable=False),
    Column("seen_s", BigInteger, nullable=False),
)

REDFISH_SUBSCRIPTIONS = Table(
    "redfish_subscriptions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("redfish_accounts.id"), nullable=False),
    Column("destination", String(1024), nullable=False),
    Column("context", String(255), nullable=False),
    Column("wanted", Text, nullable=False),
    Column("begun_s", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
)
"""Whom events are sent to. sent: number of the last event that was taken there."""

REDFISH_RECEIVERS = Table(
    "redfish_receivers",
    METADATA,
    Column("network", String(64), primary_key=True),
)
"""Networks to which events may be sent at all; made on the machine of the service alone."""

REDFISH_EVENTS = Table(
    "redfish_events",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("enclosure_id", Integer, ForeignKey("enclosures.id")),
    Column("at_s", BigInteger, nullable=False),
    Column("message", String(64), nullable=False),
    Column("args", Text, nullable=False),
    Index("ix_redfish_events_enclosure_id", "enclosure_id", "id"),
)
"""What was told by Redfish, in order; the oldest go (`events`). message: key in the registry."""

REDFISH_LATCHES = Table(
    "redfish_latches",
    METADATA,
    _of_enclosure(key=True),
    Column("shown", String(32), nullable=False),
    Column("trouble", String(64), nullable=False),
    Column("latch", String(32), nullable=False),
    Column("latched_s", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
)
"""What was last told of an enclosure, and its intrusion sensor until it is re-armed.

entry: number of the entry of its log that came next when it latched: a re-seal comes later.
"""

# ---- what is told outside (decision 42) ----

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    _of_enclosure(),
    _of_incident(),
    Column("at_s", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What is to be told outside, in order. An id is never used twice: outlets remember the last."""

OUTLETS = Table(
    "outlets",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("sent_id", Integer, nullable=False),
    Column("sent_s", BigInteger),
    Column("boots", Integer, nullable=False),
)
"""How far each outlet has told the outbox. boots: how often its sender has started."""

FLOODS = Table(
    "floods",
    METADATA,
    Column("site", String(255), primary_key=True),
    Column("finding", String(64), primary_key=True),
    Column("led_s", BigInteger, nullable=False),
    Column("more", Integer, nullable=False),
    Column("last_id", Integer),
)
"""Of a finding at a site: when people were last called; how many came since, and the last."""

SCRAPERS = Table(
    "scrapers",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("added_s", BigInteger, nullable=False),
)
"""Certificates (SHA-256) of the monitoring that may read metrics, and nothing else."""

# ---- pages (decision 43) ----

PERMITS = Table(
    "permits",
    METADATA,
    Column("id", Integer, primary_key=True),
    _of_enclosure(),
    Column("digest", String(96), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signed", LargeBinary),
    Column("asked_by", String(255), nullable=False),
    Column("asked_role", String(32), nullable=False),
    Column("asked_party", String(255), nullable=False),
    Column("asked_s", BigInteger, nullable=False),
    Column("withdrawn_by", String(255)),
    Column("withdrawn_s", BigInteger),
    UniqueConstraint("enclosure_id", "digest"),
)
"""Requests for permits, with the signatures that came so far. What became of one is evidence."""

PAPERS = Table(
    "papers",
    METADATA,
    _of_enclosure(key=True),
    Column("kind", String(16), primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)
"""What this party was handed over about an enclosure: its design, its security case."""

# ---- operation (decision 44) ----
