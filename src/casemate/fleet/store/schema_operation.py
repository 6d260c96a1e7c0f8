"""Tables of the service's operation: walks, passkeys, signed acts, trust, displays, its lease."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from casemate.fleet.store.schema_base import METADATA, of_enclosure

WALKS = Table(
    "walks",
    METADATA,
    of_enclosure(key=True),
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
    of_enclosure(key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("since_s", BigInteger, nullable=False),
    Column("reference", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("parties", Text, nullable=False),
)
"""Versions of reference values that were in force, once there was more than one."""

LEASES = Table(
    "leases",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String(32), nullable=False),
    Column("holder", String(255), nullable=False),
)
"""Which service has the store: one row, or none. token: that process alone knows it."""

DISPLAYS = Table(
    "displays",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("network", String(64), nullable=False),
    Column("added_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)
"""Certificates (SHA-256) of displays on walls, which show one page and do nothing else."""
