"""The state of an enclosure that may be shown now: what is stale is UNKNOWN."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, or_

from casemate.fleet.store.schema import VERDICTS
from casemate.verify.clocks import TOLERANCE_S

STATES = ("ARMED", "MAINTENANCE", "COMMISSIONING", "UNKNOWN", "TAMPERED", "RETIRED")
_V = VERDICTS.c


def shown_state(now_s: int) -> ColumnElement[str]:
    """Return the state to show: UNKNOWN where nothing came yet, too long ago, or in the future.

    What witnesses will see says that this clock was set back, or theirs are wrong.
    """
    stale = or_(_V.fresh_until_s < now_s, _V.seen_s > now_s + TOLERANCE_S)
    wrong = and_(_V.fresh_until_s.is_not(None), stale)
    return case((or_(_V.state.is_(None), wrong), "UNKNOWN"), else_=_V.state)
