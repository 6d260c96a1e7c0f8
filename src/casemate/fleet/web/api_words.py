"""What the paths, queries and forms of the routes take, in the words of OpenAPI, with examples."""

from __future__ import annotations

from typing import Any

from casemate.fleet.alarms import incidents
from casemate.fleet.appraisal.shown import STATES
from casemate.fleet.drawing import scene
from casemate.fleet.intake.submission import MOST_BYTES
from casemate.fleet.readings import series
from casemate.fleet.web import channels_page, timeline
from casemate.verify.findings import SEVERITIES

MOST_ID = (1 << 31) - 1
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$"}
_SECONDS = {"type": "integer", "minimum": 0, "maximum": 1 << 40}
_PAGE = ("page", {"type": "integer", "minimum": 1, "maximum": 1_000_000}, 1)
_ENCLOSURE, _INTERVAL = "/enclosures/{id:int}", "/enclosures/{id:int}/interval"


def _words(*choices: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(choices)}


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


_TIMES = (("from", _TIME, "2027-01-15T08:00"), ("until", _TIME, "2027-01-15T08:01"))
QUERIES: dict[str, tuple[tuple[str, dict[str, Any], Any], ...]] = {
    "/fleet": (
        _PAGE, ("state", _words(*STATES), "UNKNOWN"),
        ("needs", _words("decision"), "decision"), ("q", _text(100), "camera"),
    ),
    "/wall": (("q", _text(100), "hall 1"),),
    "/continuity": (
        _PAGE, ("show", _words("all", "uncovered"), "uncovered"), ("q", _text(100), "camera")
    ),
    "/incidents": (_PAGE, ("show", _words("open", "all"), "all")),
    "/review": (
        _PAGE, ("severity", _words(*SEVERITIES[:3]), "unknown"),
        ("kinds", _text(500), "state.unknown"),
    ),
    "/audit": (
        ("before", {"type": "integer", "minimum": 1, "maximum": (1 << 53) - 1}, 9),
        ("show", _words("all", "people"), "people"),
    ),
    _ENCLOSURE: (
        ("view", _words(*scene.VIEWS), scene.VIEWS[0]), ("tile", _text(100), "left-1-1"),
        ("zoom", _words(*(name for name, _ in timeline.LEVELS)), "hour"),
        ("at", _SECONDS, 1_800_000_060),
    ),
    f"{_ENCLOSURE}/channels": (
        _PAGE, ("window", _words(*channels_page.WINDOWS), "hour"), ("q", _text(100), "loop"),
        ("at", _SECONDS, 1_800_000_060), ("show.1", _text(series.MOST_TEXT), "loop 1"),
    ),
    "/incidents/{id:int}": (
        ("view", _words(*scene.VIEWS), scene.VIEWS[0]), ("tile", _text(100), "left-1-1"),
    ),
    _INTERVAL: _TIMES,
    f"{_INTERVAL}.zip": _TIMES,
    f"{_ENCLOSURE}/case": (("node", _text(100), "G1"),),
    f"{_ENCLOSURE}/permits": (("show", _words("all", "open"), "open"),),
    f"{_ENCLOSURE}/verdict.json": (("at", _SECONDS, 1_800_000_060),),
    f"{_ENCLOSURE}/series.json": (
        ("channel", _text(series.MOST_TEXT), "loop 1"),
        ("from", {"type": "integer", "minimum": 0, "maximum": 1 << 40}, 1_799_999_000),
        ("to", {"type": "integer", "minimum": 1, "maximum": 1 << 40}, 1_800_000_600),
    ),
}  # fmt: skip
"""Query parameters by path: name, schema, example."""

_OUTCOME = _words(*incidents.OUTCOMES)
_SIGNED = {"nonce": (_text(100), ""), "passkey": (_text(8000), "")}
_ID = "/incidents/{id:int}"
_DIGEST = (_text(96), "0" * 64)
FORMS: dict[str, dict[str, tuple[dict[str, Any], Any]]] = {
    "/sign-in": {"code": (_text(100), "a code made on the machine")},
    "/sign-in/passkey": _SIGNED,
    "/passkeys": _SIGNED,
    "/sign-out": {},
    f"{_ID}/acknowledge": {"seen": _DIGEST},
    f"{_ID}/propose": {
        "seen": _DIGEST, "outcome": (_OUTCOME, "explained"),
        "reason": (_text(2000), "the site had no power, see its record"), **_SIGNED,
    },
    f"{_ID}/confirm": {"seen": _DIGEST, "agree": (_words("1"), "1"), **_SIGNED},
    "/review/dispose": {
        "take.1": _DIGEST, "outcome": (_OUTCOME, "explained"),
        "reason": (_text(2000), "the site had no power, see its record"),
    },
    "/permits/{id:int}/withdraw": {},
    f"{_ENCLOSURE}/permits": {
        "action.open": (_text(1), "1"), "faces": (_text(2000), "front"),
        "modules": (_text(2000), "reader-loop"), "from": (_TIME, "2027-01-15T08:00"),
        "until": (_TIME, "2027-01-15T12:00"), "reason": (_text(2000), "reader is noisy"),
    },
}  # fmt: skip
"""Fields of forms by path: schema and example. `csrf` of the session is in each but to sign in."""
UPLOADS = (f"{_ENCLOSURE}/permits/bring", "/permits/{id:int}/sign")
"""Forms with a file."""

BODIES: dict[str, tuple[str, str, str, int]] = {
    "/evidence": (
        "application/cbor", "83008080",
        "[first, [entries], [checkpoints]], docs/formats/fleet.md", MOST_BYTES,
    ),
    "/series": (
        "application/cbor", "8186666c6f6f7020316156221b000001a3185cbc001903e883010203",
        "rows of readings, docs/formats/fleet.md", series.MOST_BYTES,
    ),
    "/trust": (
        "application/cose", "d8628440a04080",
        "reference values, signed by both parties, docs/formats/fleet.md", MOST_BYTES,
    ),
}  # fmt: skip
"""Bodies of machines by path: media type, an example in hexadecimal, what it is, most bytes."""
PATHS: dict[str, tuple[dict[str, Any], Any]] = {
    "id": ({"type": "integer", "minimum": 1, "maximum": MOST_ID}, 1),
    "name": (_words("fleet.css", "passkey.js"), "fleet.css"),
}
"""Parameters of paths."""
FILES: dict[str, str] = {
    "/enclosures/{id:int}/evidence.zip": "application/zip",
    "/enclosures/{id:int}/interval.zip": "application/zip",
    "/audit.zip": "application/zip",
    "/permits/{id:int}/file.cbor": "application/octet-stream",
    "/metrics": "application/openmetrics-text",
    "/static/{name}": "text/css",
}
"""Media types of what is neither a page nor JSON."""
