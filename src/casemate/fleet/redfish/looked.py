"""What resources of one answer look up of an enclosure, each once."""

from __future__ import annotations

from sqlalchemy import Connection

from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.redfish import standing
from casemate.fleet.redfish.asked import Asked, Redfish
from casemate.fleet.redfish.standing import Said, Standing


def standing_of(link: Connection, redfish: Redfish, asked: Asked, number: int) -> Standing:
    """Return how an enclosure stands; RedfishError if there is none."""
    return asked.seen.once("standing", number, lambda: standing.read(link, number, redfish.now_s()))


def enclosure_of(link: Connection, asked: Asked, number: int) -> Enclosure:
    """Return an enclosure with its reference values and policy; NotFoundError if there is none."""
    return asked.seen.once("enclosure", number, lambda: evidence.enclosure(link, number))


def said_of(link: Connection, asked: Asked, number: int) -> Said:
    """Return what an enclosure said last."""
    return asked.seen.once("said", number, lambda: standing.said(link, number))
