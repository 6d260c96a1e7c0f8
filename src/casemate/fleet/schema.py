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
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _of_enclosure(*, key: bool = False) -> Column[int]:
    return Column(
        "enclosure_id", Integer, ForeignKey("enclosures.id"), primary_key=key, nullable=False
    )


def _of_incident(*, key: bool = False) -> Column[int]:
    return Column(
        "incident_id", Integer, ForeignKey("incidents.id"), primary_key=key, nullable=False
    )


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

WALKS = Table(
    "walks",
    METADATA,
    _of_enclosure(key=True),
    Column("size", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("trust", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("code", LargeBinary, nullable=False),
)
"""Appraisals as they stood after `size` entries: made anew from evidence where one is missing."""

PASSKEYS = Table(
    "passkeys",
    METADATA,
    Column("id", String(1400), primary_key=True),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("added_s", BigInteger, nullable=False),
    Index("ix_passkeys_person_id", "person_id"),
)
"""Passkeys: a device's public key, and how often it has signed, as it says."""

NONCES = Table(
    "nonces",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("expires_s", BigInteger, nullable=False),
)
"""Nonces that were used, until they are too old."""

ACT_SIGNATURES = Table(
    "act_signatures",
    METADATA,
    Column("act_id", Integer, ForeignKey("acts.id"), primary_key=True, autoincrement=False),
    Column("passkey", String(1400), nullable=False),
    Column("nonce", String(100), nullable=False),
    Column("words", Text, nullable=False),
    Column("signed", Text, nullable=False),
)
"""What a person's own device has signed of an act. words: the challenge is a digest of them."""

TRUSTS = Table(
    "trusts",
    METADATA,
    _of_enclosure(key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("since_s", BigInteger, nullable=False),
    Column("reference", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("parties", Text, nullable=False),
)
"""Versions of reference values that were in force, once there was more than one."""
