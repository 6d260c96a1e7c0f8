"""What host and inspector decide together: commissioning, new anchors, sealed keys, retirement."""

from __future__ import annotations

import hmac
import math

from casemate.control.actions import Lock, MakeKeys, Mask, Signer, Unseal
from casemate.control.events import (
    Anchored,
    Approval,
    Commission,
    Reanchor,
    Recommission,
    Release,
    Retire,
)
from casemate.control.permits import BOTH, REANCHOR
from casemate.control.scope import NOTHING
from casemate.control.states import Keys, State
from casemate.control.turn import Turn

DIGESTS = (32, 48)
"""Bytes of a digest, by suite."""


def _approved(
    turn: Turn,
    approval: Approval,
    purpose: str,
    *,
    subject: bytes = b"",
    challenge: bytes | None = None,
) -> bool:
    """Return whether both parties have approved this, now; else refuse. An approval counts once."""
    challenge = turn.m.challenge if challenge is None else challenge
    reasons = (
        (approval.purpose != purpose, f"the document approves {approval.purpose}, not {purpose}"),
        (not approval.roles >= BOTH, "host and inspector have not both signed"),
        (
            not hmac.compare_digest(approval.challenge, challenge),
            "the document answers another moment: sign one with the challenge of now",
        ),
        (approval.subject != subject, "the document is about another anchor"),
        (len(approval.document) not in DIGESTS, "the document's digest is none"),
    )
    reason = next((text for wrong, text in reasons if wrong), "")
    if reason:
        turn.refuse(reason)
        return False
    turn.set(count=turn.m.count + 1)
    return True


def anchored(turn: Turn, event: Anchored) -> None:
    """In commissioning, make keys for a model that was measured with every face closed."""
    m = turn.m
    if m.state is not State.COMMISSIONING or m.open or len(event.anchor) not in DIGESTS:
        turn.refuse("an anchor is taken in COMMISSIONING alone, with every face closed")
        return
    turn.zeroise()
    turn.disturb()
    turn.do(MakeKeys(anchor=event.anchor))
    turn.set(anchor=event.anchor, keys=Keys.LIVE, last_word=True)


def commission(turn: Turn, event: Commission) -> None:
    """Arm what both parties have signed and checks have passed on."""
    m = turn.m
    sound = m.anchor != b"" and m.keys is Keys.LIVE and m.ready and m.fresh and m.whole
    if m.state is not State.COMMISSIONING or not sound:
        turn.refuse("there is no anchor on which checks have just passed")
    elif _approved(turn, event.approval, "commission", subject=m.anchor):
        turn.move(State.ARMED, "commissioned", subject=event.approval.document)
        turn.set(seal_at_s=math.inf)


def reanchor(turn: Turn, event: Reanchor) -> None:
    """Take a new anchor after modules were replaced. The old one stays in the evidence."""
    m = turn.m
    permitted = not m.in_use or (m.work is not None and REANCHOR in m.work.terms.actions)
    known = m.state in (State.UNKNOWN, State.MAINTENANCE) and not m.forgot
    if not permitted or not known or len(event.anchor) not in DIGESTS:
        turn.refuse(f"no anchor can be changed in {m.state} as it is")
    elif m.open or m.alien:
        turn.refuse("a face is open, or a module has not proved its identity")
    elif _approved(turn, event.approval, "re-anchor", subject=event.anchor):
        turn.record(
            "anchor", "both parties have signed another anchor",
            subject=event.anchor, act="re-anchored",
        )  # fmt: skip
        turn.set(anchor=event.anchor, replaced=frozenset())
        turn.disturb()


def release(turn: Turn, event: Release) -> None:
    """Open sealed keys after checks have passed, and arm; this ends an emergency too."""
    m = turn.m
    if m.state is not State.UNKNOWN or m.keys is not Keys.SEALED or m.forgot:
        turn.refuse(f"no keys can be opened in {m.state} as it is")
    elif not (m.ready and m.whole and m.fresh):
        turn.refuse("checks have not just passed")
    elif m.in_use or not m.seal_challenge:
        turn.refuse("work goes on, or the key holder has given no challenge yet")
    elif _approved(turn, event.approval, "unseal", challenge=m.seal_challenge):
        turn.do(Unseal(document=event.approval.document))
        turn.set(keys=Keys.LIVE, seal_challenge=b"")
        turn.set(emergency=False, seal_at_s=math.inf)
        if m.emergency:
            turn.do(Lock(faces=m.faces))
        turn.move(State.ARMED, "keys opened by a quorum", subject=event.approval.document)


def recommission(turn: Turn, event: Recommission) -> None:
    """Begin anew: keys, anchor and last word of before are gone."""
    m = turn.m
    if m.state in (State.COMMISSIONING, State.RETIRED):
        turn.refuse(f"nothing is commissioned anew in {m.state}")
    elif _approved(turn, event.approval, "recommission"):
        _give_up(turn, State.COMMISSIONING, event.approval)
        turn.set(
            keys=Keys.NONE,
            anchor=b"",
            replaced=frozenset(),
            alien=frozenset(),
            emergency=False,
            forgot=False,
            alert_level=0,
        )


def retire(turn: Turn, event: Retire) -> None:
    """Take out of service, for ever."""
    if turn.m.state is State.RETIRED:
        turn.refuse("it is retired")
    elif _approved(turn, event.approval, "retire"):
        _give_up(turn, State.RETIRED, event.approval)


def _give_up(turn: Turn, state: State, approval: Approval) -> None:
    masked = turn.m.masked
    turn.zeroise()
    turn.move(state, approval.purpose, by=Signer.PARTIES, subject=approval.document)
    turn.set(work=None, last_word=False)
    turn.disturb()
    if masked:
        turn.do(Mask(scope=NOTHING))
