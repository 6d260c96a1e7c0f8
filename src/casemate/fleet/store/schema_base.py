"""What all tables of the store have in common."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, MetaData

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def of_enclosure(*, key: bool = False) -> Column[int]:
    """Return the column that names an enclosure."""
    return Column(
        "enclosure_id", Integer, ForeignKey("enclosures.id"), primary_key=key, nullable=False
    )


def of_incident(*, key: bool = False) -> Column[int]:
    """Return the column that names an incident."""
    return Column(
        "incident_id", Integer, ForeignKey("incidents.id"), primary_key=key, nullable=False
    )
