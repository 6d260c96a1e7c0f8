"""What the JSON twins and the other JSON answers hold, as JSON Schema (2020-12).

A shape is written short: "text", "whole", "number", "flag" or "any", with "?" where it may be null;
[x] is a list of x, {…} an object with these keys, a key that ends in "?" may be missing, and
("map", x) is an object of any keys. More keys may come in a later release.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Shape: TypeAlias = Any
_PLAIN: dict[str, dict[str, Any]] = {
    "text": {"type": "string"}, "whole": {"type": "integer"}, "number": {"type": "number"},
    "flag": {"type": "boolean"}, "any": {},
}  # fmt: skip
_WHO: dict[str, Shape] = {"title": "text", "id": "whole", "name": "text", "serial": "text",
        "kind": "text", "site": "text"}  # fmt: skip
_GAP: dict[str, Shape] = {"from": "text", "to": "text", "length": "text", "kind": "text",
        "cause": "text", "covered_by": "text"}  # fmt: skip
_TICK: dict[str, Shape] = {"x": "number", "text": "text"}
_BAR: dict[str, Shape] = {**_GAP, "x": "number", "width": "number"}
_EVENT: dict[str, Shape] = {"token": "whole", "at": "text", "kind": "text", "act": "text",
          "place": "text", "text": "text"}  # fmt: skip
_USE = {"token": "whole", "at": "text", "act": "text", "permit": "text", "place": "text",
        "text": "text"}  # fmt: skip
_KINDS = ("proven", "maintenance", "interfered", "unknown")
_TOTALS = {kind: {"seconds": "whole", "length": "text", "share": "number"} for kind in _KINDS}
_PAGES: dict[str, Shape] = {"total": "whole", "page": "whole", "pages": "whole"}
_LINKS = {"before?": "text", "after?": "text"}
_NODE: dict[str, Shape] = {
    "id": "text",
    "kind": "text",
    "text": "text",
    "verdict": "text",
    "undeveloped": "flag",
}
_CASE_TARGET = {"id": "text", "text": "text", "kind": "text", "verdict": "text", "why": "text",
                "unit": "text", "rerun": "text", "required": "text",
                "achieved": "text"}  # fmt: skip
_PERMIT: dict[str, Shape] = {
    "permit": "whole", "phase": "text", "faces": ["text"], "modules": ["text"], "actions": ["text"],
    "from": "text", "until": "text", "left": "text", "begun": "flag", "reason": "text",
    "asked_by": "text", "asked_party": "text", "asked": "text", "lacks": "text",
    "checkpoint": "text",
}  # fmt: skip
_FINDING = {
    "id": "text", "severity": "text", "claim": "text", "what": "text", "remedy": "text",
    "token": "whole?", "last_token": "whole?", "times": "whole", "at": "text",
}  # fmt: skip
_SPAN = {"from": "text", "to": "text", "seconds": "whole", "kind": "text", "cause": "text",
         "covered_by": "text"}  # fmt: skip
_VERDICT = {
    "format": "text", "enclosure": "text", "serial": "text", "reference": "text", "now": "text",
    "headline": "text", "state": "text", "since": "text", "seen": "text", "tokens": "whole",
    "proven_tokens": "whole", "exit_code": "whole", "continuity": [_SPAN], "gaps": [_SPAN],
    "findings": [_FINDING],
}  # fmt: skip
_WORK: Shape = {
    "what": "text", "stage": "text", "done": "whole", "total": "whole?", "unit": "text",
    "count": "text", "pace": "text", "how": "text", "stands": "flag", "for_s": "whole",
    "left_s": "whole?",
}  # fmt: skip
_OR_WORK: Shape = ("or null", _WORK)
_SENT: dict[str, Shape] = {
    "downloads": [_WORK],
    "renews?": "whole",
    "evidence": {"tokens": "whole", "checkpoints": "whole", "bytes": "whole", "size": "text"},
}
_SHARE = {"proven": "whole", "all": "whole"}
_FLEET = {
    "title": "text", "now": "text", "well": "flag", "counts": ("map", "whole"),
    "enclosures": "whole", "waiting": "whole",
    "for_you": [{"what": "text", "count": "whole", "to": "text"}],
    "filters": {"state": "text", "needs": "text", "q": "text"},
    "rows": [{
        "id": "whole", "name": "text", "serial": "text", "kind": "text", "site": "text",
        "state": "text", "why": "text?", "seen": "text", "seen_ago": "text", "since": "text",
        "incident": "whole?", "severity": "text?", "acknowledged": "flag", "work": _OR_WORK,
    }],
    "appraising": "whole", "renews?": "whole", **_PAGES, "links": _LINKS,
}  # fmt: skip
_WALL = {
    "title": "text", "now": "text", "display": "text", "q": "text", "well": "flag",
    "counts": ("map", "whole"), "enclosures": "whole", "waiting": "whole",
    "rows": [{
        "name": "text", "serial": "text", "site": "text", "state": "text", "since": "text",
        "seen_ago": "text", "severity": "text?", "acknowledged": "flag", "work": _OR_WORK,
    }],
    "more": "whole",
}  # fmt: skip
_TOLD = ("or null", {
    "number": "whole", "kind": "text", "state": "text", "uptime": "text", "boots": "whole",
    "time": "text", "channels": "whole?", "healthy": "whole?", "watch": "whole?",
    "verdict": "text?", "information_nats": "number?",
})  # fmt: skip
_DOT = {"x": "number", "y": "number"}
_CHANNEL: dict[str, Shape] = {
    "channel": "text", "unit": "text", "value": "text", "at": "text", "ago": "text",
    "silent": "flag", "count": "whole", "lines": ["text"], "dots": [_DOT],
}  # fmt: skip
_AT: dict[str, Shape] = {"x": "number", "y": "number"}
_LAID: dict[str, Shape] = {"where": ["text"], "board": "text", "module": "text"}
_LABEL: dict[str, Shape] = {
    **_AT, "lines": ["text"], "left": "number", "top": "number", "width": "number",
    "height": "number", "from_x": "number", "from_y": "number",
}  # fmt: skip
_PICTURE: Shape = ("or null", {
    "view": "text", "chosen": "flag", "described": "text", "views": ["text"],
    "turns": ("map", "text"), "kept": "text", "state": "text", "width": "number",
    "height": "number", "size": "text", "doors": ["text"], "names": ["text"],
    "held": ("map", "text"), "sought": ("or null", {"tile": "text", **_LAID}),
    "tiles": "whole", "marked": ("map", ["text"]), "unseen": ("map", ["text"]),
    "faces": [{**_AT, "name": "text", "inside": "flag", "points": "text"}],
    "shapes": [{**_AT, "tile": "text", "face": "text", "mark": "text", "strip": "flag",
                "points": "text", "path": "text"}],
    "numbers": [{**_AT, "number": "whole", "face": "text", "tile": "text"}],
    "labels": [{**_LABEL, "tile": "text", "channel": "text", "old": "flag"}],
    "crossings": [{"name": "text", "points": "text", "label": ("or null", _LABEL)}],
    "sought_shapes": ["text"], "tile_names": [_LABEL],
    "passing": [{"name": "text", "kind": "text", "module": "text", "where": "text"}],
    "places": [{"number": "whole", "text": "text", "at": "text", "token": "whole",
                "tiles": ["text"], "seen": "flag", "found": [{"tile": "text", **_LAID}]}],
    "rows": [{**_LAID, "tile": "text", "face": "text", "mark": "text", "seen": "flag",
              "numbers": ["whole"],
              "told": ("or null", {"channel": "text", "value": "text", "unit": "text",
                                   "ago": "text", "channels": "whole", "silent": "whole"})}],
    "more_rows": "whole", "of_no_tile": "whole",
})  # fmt: skip
_ENCLOSURE = {
    **_WHO, **_SENT, "work": _OR_WORK,
    "now": "text", "how": "text", "papers": ["text"], "headline": "text", "since": "text",
    "seen": "text", "seen_ago": "text", "tokens": "whole", "proven_tokens": "whole",
    "picture": _PICTURE,
    "told": _TOLD, "few": {"rows": [_CHANNEL], "total": "whole", "signed": "flag", "note": "text"},
    "findings": [_FINDING], "forks": ["whole"],
    "incidents": [{"id": "whole", "severity": "text", "opened": "text", "acknowledged_by": "text?",
                   "outcome": "text?", "open": "flag"}],
    "zoom": "text", "levels": ["text"], "bars": [_BAR], "ticks": [_TICK],
    "window": {"from": "text", "to": "text", "at": "whole", "start": "whole", "next": "whole"},
    "marks": [{"x": "number", "letter": "text", "text": "text"}], "hours": ("map", "text"),
    "window_gaps": [{**_GAP, "zoom": "text", "at": "whole"}],
    "window_events": [{**_EVENT, "letter": "text"}],
}  # fmt: skip
_BANDS = [{"begin": "whole", "end": "whole", "kind": "text", "cause": "text", "label": "text",
           "seconds": "whole", "from": "text", "to": "text", "length": "text"}]  # fmt: skip
_CHART = {
    "channel": "text", "unit": "text", "count": "whole", "low": "text", "high": "text",
    "last": "text", "last_at": "text", "gaps": "whole", "areas": ["text"], "lines": ["text"],
    "dots": [_DOT],
    "data": {
        "unit": "text", "from": "whole", "to": "whole", "x": ["number"], "least": ["number?"],
        "mean": ["number?"], "most": ["number?"], "bands": [["any"]], "marks": [["any"]],
    },
    "table": [{"at": "text", "count": "whole", "least": "text", "mean": "text", "most": "text"}],
}  # fmt: skip
_CHANNELS = {
    **_WHO, "now": "text", "work": _OR_WORK,
    "renews": "whole", "signed": "flag", "note": "text", "kept": "flag",
    "how": "text", "headline": "text", "seen": "text", "seen_ago": "text", "told": _TOLD,
    "windows": ["text"],
    "window": {"name": "text", "start": "whole", "end": "whole", "live": "flag", "from": "text",
               "to": "text"},
    "bands_list": _BANDS,
    "drawn_bands": [{"x": "number", "width": "number", "kind": "text", "label": "text",
                     "cause": "text"}],
    "marks": [{"x": "number", "letter": "text", "text": "text", "at_s": "number"}],
    "findings": [{"at": "text", "at_s": "whole", "severity": "text", "what": "text", "id": "text"}],
    "health": {
        "bars": [{"x": "number", "token": "whole", "y": "number", "tall": "number",
                  "worse": "whole", "at": "text", "verdict": "text", "level": "whole",
                  "healthy": "whole", "channels": "whole"}],
        "tokens": "whole", "worst": "whole?", "verdicts": ("map", "whole"), "at_fault": "whole?",
        "since": "text", "cut": "flag",
    },
    "q": "text", **_PAGES, "channels": "whole", "rows": [{**_CHANNEL, "chosen": "flag"}],
    "most_chosen": "whole", "elsewhere": ["text"], "charts": [_CHART], "silent": "whole",
    "links": {**_LINKS, "windows": ("map", "text"), "earlier": "text", "later": "text",
              "live": "text"},
}  # fmt: skip
_CONTINUITY = {
    **_WHO, "now": "text", "headline": "text", "reference": "text", "from": "text",
    "totals": _TOTALS, "intervals": [_GAP], "gaps": [_GAP], "uncovered": "whole", "bars": [_BAR],
    "ticks": [_TICK],
}  # fmt: skip
_OF_FLEET = {
    "title": "text", "now": "text", **_PAGES, "show": "text", "q": "text", "totals": _TOTALS,
    "rows": [{
        "id": "whole", "name": "text", "serial": "text", "site": "text", "kind": "text",
        "since": "text", "proven": "number", "maintenance": "number", "gaps": "whole",
        "uncovered": "whole", "longest": "text", "bars": [_BAR],
    }],
    "ledger": [{**_GAP, "id": "whole", "name": "text", "serial": "text", "site": "text",
                "start_s": "whole"}],
    "left_off": "whole", "uncovered": "whole", "links": _LINKS,
}  # fmt: skip
_INCIDENTS = {
    "title": "text", "show": "text", **_PAGES,
    "rows": [{
        "id": "whole", "enclosure": "whole", "name": "text", "serial": "text", "site": "text",
        "severity": "text", "opened": "text", "last": "text", "triggers": "whole",
        "acknowledged_by": "text?", "open": "flag", "outcome": "text?",
    }],
}  # fmt: skip
_TRIGGER = {
    "finding": "text", "severity": "text", "text": "text", "what": "text", "remedy": "text",
    "place": "text", "at": "text", "ago": "text", "times": "whole", "live": "flag?",
}  # fmt: skip
_STORY = {
    "title": "text", "id": "whole", "enclosure": "whole", "name": "text", "serial": "text",
    "site": "text", "level": "text", "text": "text", "opened": "text", "open": "flag",
    "outcome": "text?", "disposed": "text", "latch": "text",
    "live": {"state": "text", "triggers": "whole"}, "acknowledged_by": "text?",
    "acknowledged": "text", "meaning": "text",
    "triggers": [_TRIGGER],
    "place": {"said": ["text"], "tiles": ["text"], "drawn": "flag"}, "picture": _PICTURE,
    "causes": [{"text": "text", "hostile": "flag", "severity": "text", "speaks": ["text"]}],
    "runbook": ["text"], "for_you": "text", "next": ["text"], "two_persons": "flag",
    "capacity": {"each": "whole", "unit": "text", "kind": "text", "site": _SHARE, "fleet": _SHARE},
    "proposed": ("or null", {"person": "text", "party": "text", "outcome": "text",
                             "reason": "text", "at": "text", "stands": "flag"}),
    "acts": [{"at": "text", "person": "text", "role": "text", "party": "text", "act": "text",
              "outcome": "text", "reason": "text"}],
    "seen": "text", "outcomes": ["text"],
    "may": {"acknowledge": "flag", "propose": "flag", "confirm": "flag"},
    "passkey": ("or null", {"nonce": "text", "options": "text"}),
}  # fmt: skip
_REVIEW = {
    "title": "text", "now": "text", "severity": "text", "severities": ["text"],
    "groups": [{"kinds": ["text"], "words": ["text"], "key": "text", "count": "whole",
                "open": "flag"}],
    "kinds": ["text"], "key": "text", "level": "text", "page": "whole", "pages": "whole",
    "rows": [{
        "id": "whole", "enclosure": "whole", "name": "text", "serial": "text", "site": "text",
        "severity": "text", "opened": "text", "ago": "text", "triggers": "whole", "live": "whole",
        "acknowledged_by": "text?", "seen": "text", "proposed": "text",
    }],
    "outcomes": ["text"], "together": "flag", "why_not": "text",
}  # fmt: skip
_CASE = {
    **_WHO,
    "case": ("or null", {
        "verdict": "text", "warnings": ["text"], "root": "text", "is_root": "flag",
        "node": {
            **_NODE, "about": "text", "target": ("or null", _CASE_TARGET),
            "evidence": ("or null", {"kind": "text", "figure": "text", "interval": "text",
                                     "date": "text", "rerun": "text"}),
        },
        "path": [_NODE], "supported_by": [_NODE], "context": [_NODE], "challenged_by": [_NODE],
        "challenges": [_NODE], "targets": [_CASE_TARGET], "counts": ("map", "whole"),
        "doubts": [{"id": "text", "text": "text", "targets": ["text"]}],
    }),
}  # fmt: skip
_PERMITS = {
    **_WHO, "now": "text", "state": "text", "show": "text", "rows": [_PERMIT], "others": [_USE],
    "checks": [{"id": "text", "text": "text", "how": "text", "why": "text", "remedy": "text"}],
    "blocking": "whole", "may": {"ask": "flag"},
}  # fmt: skip
_ONE_PERMIT: dict[str, Shape] = {
    **_WHO, **_PERMIT, "digest": "text", "signers": ["text"], "next": "text",
    "withdrawn_by": "text?", "events": [_USE], "may": {"sign": "flag", "withdraw": "flag"},
    "findings": [{"severity": "text", "what": "text"}],
}  # fmt: skip
_AUDIT = {
    "title": "text", "origin": "text", "lines": "whole", "sealed": "whole", "failed": "text",
    "older": "whole?", "keys": ["text"], "before": [{"generation": "whole", "origin": "text"}],
    "rows": [{"number": "whole", "at": "text", "who": "text", "role": "text", "party": "text",
              "what": "text", "subject": "text", "outcome": "text", "machine": "text"}],
    "show": "text",
}  # fmt: skip
_SERIES = {
    "signed": "flag", "note": "text", "channels?": ["text"], "channel?": "text", "unit?": "text",
    "from?": "whole", "to?": "whole",
    "points?": [{"at_s": "number", "count": "whole", "least": "number", "mean": "number",
                 "most": "number"}],
}  # fmt: skip
_TRUST = {"version": "whole", "since_s": "whole", "digest": "text", "signed_by": ["text"]}

TWINS: dict[tuple[str, str], Shape] = {
    ("GET", "/fleet"): _FLEET,
    ("GET", "/wall"): _WALL,
    ("GET", "/continuity"): _OF_FLEET,
    ("GET", "/enclosures/{id:int}"): _ENCLOSURE,
    ("GET", "/enclosures/{id:int}/channels"): _CHANNELS,
    ("GET", "/enclosures/{id:int}/continuity"): _CONTINUITY,
    ("GET", "/enclosures/{id:int}/interval"): {
        **_WHO, **_SENT, "from": "text", "until": "text", "now": "text", "length": "text",
        "silent": "text",
        "form": {"from": "text", "until": "text"}, "totals": _TOTALS, "bars": [_BAR],
        "ticks": [_TICK], "gaps": [_GAP], "events": [_EVENT], "link": "text",
    },
    ("GET", "/enclosures/{id:int}/case"): _CASE,
    ("GET", "/enclosures/{id:int}/permits"): _PERMITS,
    ("GET", "/enclosures/{id:int}/permits/new"): {
        **_WHO, "actions": ["text"], "faces": ["text"], "modules": ["text"], "from": "text",
        "until": "text", "longest": "text", "rules": [{"action": "text", "needs": "text"}],
    },
    ("POST", "/enclosures/{id:int}/permits"): {
        **_WHO, "permit": "whole", "digest": "text", "token": "text", "audited": "text",
    },
    ("GET", "/permits/{id:int}"): _ONE_PERMIT,
    ("GET", "/incidents"): _INCIDENTS,
    ("GET", "/incidents/{id:int}"): _STORY,
    ("GET", "/review"): _REVIEW,
    ("GET", "/audit"): _AUDIT,
    ("GET", "/sign-in"): {"title": "text"},
    ("GET", "/sign-in/passkey"): {"title": "text", "nonce": "text", "options": "text"},
    ("GET", "/passkeys"): {
        "title": "text", "have": [{"id": "text", "added": "text"}], "nonce": "text",
        "options": "text", "required": "flag",
    },
}  # fmt: skip
"""By method and path of the page."""
ANSWERS: dict[tuple[str, str], Shape] = {
    ("GET", "/enclosures/{id:int}/verdict.json"): {
        "evidence": "text", "reference": "text", "at": "whole", "result": "text",
        "verdict": _VERDICT,
    },
    ("GET", "/enclosures/{id:int}/case/file.json"): {},
    ("GET", "/enclosures/{id:int}/series.json"): _SERIES,
    ("GET", "/enclosures/{id:int}/trust.json"): [_TRUST],
    ("GET", "/incidents/{id:int}/triggers.json"): {
        "id": "whole", "seen": "text", "triggers": [_TRIGGER],
    },
    ("GET", "/openapi.json"): {"openapi": "text", "info": ("map", "any"), "paths": ("map", "any")},
    ("GET", "/evidence"): {"next": "whole"},
    ("POST", "/evidence"): {"next": "whole", "state": "text", "headline": "text"},
    ("POST", "/series"): {"taken": "whole"},
    ("POST", "/trust"): _TRUST,
}  # fmt: skip
"""By method and path, of what is JSON and no twin of a page."""
ERROR: Shape = {"error": "text", "remedy": "text", "next?": "whole", "work?": _WORK}


def schema(shape: Shape) -> dict[str, Any]:
    """Return a shape as JSON Schema; KeyError if a word of it is none."""
    if isinstance(shape, str):
        made = _PLAIN[shape.removesuffix("?")]
        if shape.endswith("?") and made:
            return {"type": [made["type"], "null"]}
        return made
    if isinstance(shape, list):
        return {"type": "array", "items": schema(shape[0])}
    if isinstance(shape, tuple):
        word, inner = shape
        if word == "map":
            return {"type": "object", "additionalProperties": schema(inner)}
        return {"anyOf": [schema(inner), {"type": "null"}]}
    return {
        "type": "object",
        "properties": {key.removesuffix("?"): schema(each) for key, each in shape.items()},
        "required": [key for key in shape if not key.endswith("?")],
    }
