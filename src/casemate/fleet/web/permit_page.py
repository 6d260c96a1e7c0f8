"""Permits of an enclosure: what is asked for, who has signed, what stands in the way, what came."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from casemate.attest import permit as permits
from casemate.attest.permit import ACTIONS, NONCE_BYTES, Permit
from casemate.attest.token import CheckpointRef
from casemate.control.permits import TOKEN_BYTES, token_hash, token_text
from casemate.core.errors import FormatError
from casemate.fleet.access.roles import may
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.clockface import ago, clock, length
from casemate.fleet.errors import RefusedError
from casemate.fleet.permits import checklist, files, papers
from casemate.fleet.permits.files import Filed, Standing
from casemate.fleet.story.told import Event, last_watch, plain
from casemate.fleet.web.asked import Asked, Reply, Service

ROWS = 50
_MEANS = {
    "open": "the faces that are named may be opened",
    "service": "work on the modules that are named, which stay",
    "replace": "modules that are named may be taken out, and others put in",
    "re-anchor": "the reference of what sensors read is taken anew afterwards",
    "update": "software of the controller is changed",
    "unseal": "keys that were sealed are opened again",
    "recommission": "the enclosure begins anew, with new keys",
    "retire": "the enclosure ends: its keys go for good",
}
"""What each action allows, in a line."""
_NEXT = {
    "requested": "Download the request. Each party signs it on its own machine and brings it back.",
    "signed in part": "Bring the file that the other party has signed.",
    "signed": "Give the signed file to who runs the enclosure: `casemate permit use`. It is put "
    "into the log and witnessed before the work begins.",
    "in the log": "The technician begins the work with the token, within the time of the permit.",
    "in use": "When the work is done, a party signs its end: `casemate permit close`.",
    "closed": "Nothing: the work has ended, and the evidence says so.",
    "expired": "Nothing: its time is over. Who still needs it asks anew.",
    "withdrawn": "Nothing: nobody waits for it.",
}


def index(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the permits of an enclosure, and what stands in the way of arming it."""
    now_s = service.now_s()
    shown = asked.choice("show", ("all", "open")) or "all"
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        told = service.told.of(link, known.id)
        filed = files.of_enclosure(link, known.id, ROWS)
        forks = evidence.forks(link, known.id)
        watch = last_watch(link, known.id)
    rows = [(each, files.standing(known, each, told, now_s)) for each in filed]
    if shown == "open":
        done = ("closed", "expired", "withdrawn")
        rows = [each for each in rows if each[1].phase not in done]
    result = service.intake.glance(known.id, now_s)
    checks = checklist.before_arming(result, told, watch[1] if watch else None, forks)
    mine = {each.digest for each in filed}
    return {
        "title": f"Permits: {known.name} {known.serial}",
        **_who(known),
        "now": clock(now_s),
        "state": result.state,
        "show": shown,
        "rows": [_row(known, *each, now_s) for each in rows],
        "others": [
            _event(each) for each in told
            if each.kind == "permit" and each.permit and each.permit not in mine
        ][-ROWS:],
        "checks": [_check(each) for each in checks],
        "blocking": checklist.blocking(checks),
        "may": {"ask": may(asked.who.role, "permit")},
    }  # fmt: skip


def form(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the form for a new request: places and actions that can be asked for."""
    now_s = service.now_s()
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        faces, modules = papers.places(link, known)
    return {
        "title": f"Ask for a permit: {known.name} {known.serial}",
        **_who(known),
        "actions": list(ACTIONS),
        "means": _MEANS,
        "faces": list(faces),
        "modules": list(modules),
        "from": _local(now_s),
        "until": _local(now_s + 4 * 3600),
        "longest": length(permits.LONGEST_S),
        "rules": [
            {"action": each.action,
             "needs": " and ".join(f"{one.least} {one.role}" for one in each.needs)}
            for each in known.reference.rules
        ],
    }  # fmt: skip


def ask(service: Service, asked: Asked) -> dict[str, Any]:
    """File a request by its form, and return the technician's token, which is shown this once."""
    now_s, token = service.now_s(), secrets.token_bytes(TOKEN_BYTES)
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        held = evidence.notes(link, known.id)
    proven = service.intake.glance(known.id, now_s).proven
    wanted = _wanted(asked, known, _checkpoint(known, held, proven), token_hash(token))
    with service.store.write() as link:
        number = files.ask(link, known, wanted, asked.who, now_s)
        filed = files.read(link, number)
    return {
        "title": "Request filed",
        **_who(known),
        "permit": number,
        "digest": filed.digest,
        "token": token_text(token),
        "audited": filed.digest,
    }


def bring(service: Service, asked: Asked) -> Reply:
    """Take a file: a request made elsewhere, or one that parties have signed there already."""
    now_s, data = service.now_s(), asked.files.get("file", b"")
    with service.store.write() as link:
        known = evidence.enclosure(link, asked.id())
        wanted, signed = files.take(data, known)
        number = files.ask(link, known, wanted, asked.who, now_s)
        filed = files.read(link, number)
        if signed is not None:
            files.sign(link, known, filed, signed, now_s)
    return Reply(to=f"/permits/{number}", told=filed.digest)


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return one permit: its scope, who signed, what is missing, what the evidence tells of it."""
    now_s = service.now_s()
    with service.store.read() as link:
        filed = files.read(link, asked.id())
        known = evidence.enclosure(link, filed.enclosure_id)
        told = service.told.of(link, known.id)
    at = files.standing(known, filed, told, now_s)
    found = [
        each for each in service.intake.glance(known.id, now_s).findings
        if each.id.startswith("permit.") and filed.digest[:16] in each.what
    ]  # fmt: skip
    mine = asked.who.party == filed.asked_party and filed.withdrawn_s is None
    return {
        "title": f"Permit {filed.id}: {known.name} {known.serial}",
        **_who(known),
        **_row(known, filed, at, now_s),
        "permit": filed.id,
        "digest": filed.digest,
        "signers": list(at.signers),
        "lacks": at.lacks,
        "next": _NEXT[at.phase],
        "withdrawn_by": filed.withdrawn_by,
        "events": [_event(each) for each in at.events],
        "findings": [{"severity": each.severity, "what": each.what} for each in found],
        "may": {
            "sign": may(asked.who.role, "permit") and filed.withdrawn_s is None,
            "withdraw": may(asked.who.role, "permit") and mine,
        },
    }  # fmt: skip


def sign(service: Service, asked: Asked) -> Reply:
    """Take the signatures of a file that a party has signed on its own machine."""
    with service.store.write() as link:
        filed = files.read(link, asked.id())
        known = evidence.enclosure(link, filed.enclosure_id)
        data = asked.files.get("file", b"")
        files.sign(link, known, filed, data, service.now_s())
    return Reply(to=f"/permits/{filed.id}", told=filed.digest)


def withdraw(service: Service, asked: Asked) -> Reply:
    """Withdraw a request of one's own party."""
    with service.store.write() as link:
        filed = files.read(link, asked.id())
        files.withdraw(link, filed, asked.who, service.now_s())
    return Reply(to=f"/permits/{filed.id}", told=filed.digest)


def download(service: Service, asked: Asked) -> Reply:
    """Return the file to sign: the request, or the permit with the signatures so far."""
    with service.store.read() as link:
        filed = files.read(link, asked.id())
    kind = "permit" if filed.signed else "request"
    data, name = filed.signed or filed.payload, f"{kind}-{filed.id}.cbor"
    return Reply(body=data, kind="application/octet-stream", name=name)


def _checkpoint(known: Enclosure, held: tuple[bytes, ...], proven: int) -> CheckpointRef:
    """Return what signers have seen of the log: the largest checkpoint that a quorum has seen."""
    for data in reversed(held):
        stated = read_note(data).stated
        if stated.size == proven and proven:
            return CheckpointRef(origin=stated.origin, size=stated.size, root=stated.root)
    raise RefusedError(
        "witnesses have seen nothing of this enclosure's log yet.",
        remedy="wait until its evidence has come: a permit is for one history.",
    )


def _wanted(asked: Asked, known: Enclosure, checkpoint: CheckpointRef, technician: bytes) -> Permit:
    form = asked.form
    if not form.get("reason", "").strip():
        raise RefusedError(
            "a permit says why: both parties sign it.", remedy="write the reason in one line."
        )
    wanted = Permit(
        enclosure=known.name,
        serial=known.serial,
        faces=_places(form, "face"),
        modules=_places(form, "module"),
        actions=tuple(each for each in ACTIONS if f"action.{each}" in form),
        not_before_s=_unix_s(form.get("from", "")),
        not_after_s=_unix_s(form.get("until", "")),
        checkpoint=checkpoint,
        nonce=secrets.token_bytes(NONCE_BYTES),
        technician=technician,
        reason=form.get("reason", "").strip(),
    )
    try:
        permits.encode(wanted)
    except FormatError as error:
        raise RefusedError(error.message, remedy="correct the form.") from None
    return wanted


def _places(form: Mapping[str, str], kind: str) -> tuple[str, ...]:
    """Return the places that are ticked, by names of fields such as face.1, or written down."""
    told = {value for key, value in form.items() if key.startswith(f"{kind}.")}
    told |= set(form.get(f"{kind}s", "").replace(",", "\n").splitlines())
    return tuple(sorted({each.strip() for each in told} - {""}))


def _unix_s(text: str) -> int:
    try:
        return int(datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise RefusedError("that is no time.", remedy="write 2026-11-28T13:00, in UTC.") from None


def _local(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M")


def _who(known: Enclosure) -> dict[str, Any]:
    return {"id": known.id, "name": known.name, "serial": known.serial, "kind": known.kind,
            "site": known.site}  # fmt: skip


def _row(known: Enclosure, filed: Filed, at: Standing, now_s: int) -> dict[str, Any]:
    asks = permits.decode(filed.payload)
    left = asks.not_after_s - now_s
    return {
        "permit": filed.id,
        "phase": at.phase,
        "faces": [plain(each) for each in asks.faces],
        "modules": [plain(each) for each in asks.modules],
        "actions": list(asks.actions),
        "from": clock(asks.not_before_s),
        "until": clock(asks.not_after_s),
        "left": f"ends in {length(left)}" if left > 0 else f"ended {ago(asks.not_after_s, now_s)}",
        "begun": now_s >= asks.not_before_s,
        "reason": plain(asks.reason),
        "asked_by": filed.asked_by,
        "asked_party": filed.asked_party,
        "asked": clock(filed.asked_s),
        "lacks": at.lacks,
        "checkpoint": f"{asks.checkpoint.size} entries of {plain(asks.checkpoint.origin)}",
    }


def _event(each: Event) -> dict[str, Any]:
    return {
        "token": each.number, "at": clock(each.at_s), "act": each.act, "permit": each.permit,
        "place": each.place, "text": each.text,
    }  # fmt: skip


def _check(each: checklist.Check) -> dict[str, Any]:
    return {"id": each.id, "text": each.text, "how": each.how, "why": each.why,
            "remedy": each.remedy}  # fmt: skip
