"""The attestation result in the vocabulary of EAR. The drafts may change: this file alone knows.

References: draft-ietf-rats-ear-04, draft-ietf-rats-ar4si-09. Claims here are unsigned; who runs the
verifier signs them as a CWT or JWT.
"""

from __future__ import annotations

from typing import Any

from casemate import __version__
from casemate.verify.findings import CLAIMS
from casemate.verify.result import Result

PROFILE = "tag:ietf.org,2026:rats/ear#04"
TIERS = {
    "note": ("affirming", 2), "warning": ("warning", 32), "alarm": ("contraindicated", 96),
    "unknown": ("none", 0),
}  # fmt: skip
"""AR4SI tier of a severity, by name and by number."""
_FORGED = dict.fromkeys(("signature.forged", "signature.stripped", "log.signature"), 99)
"""Cryptographic validation failed."""


def claims(result: Result) -> dict[str, Any]:
    """Return the claims-set of the EAR, as JSON values.

    A claim is affirmed only if the whole is: where nothing recent is proven, nothing is affirmed.
    """
    affirmed = result.worst == "note"
    vector = dict.fromkeys(CLAIMS, TIERS["note" if affirmed else "unknown"][1])
    for each in reversed(result.findings):  # the worst has the last word
        if each.severity != "note":
            vector[each.claim] = _FORGED.get(each.id, TIERS[each.severity][1])
    return {
        "eat_profile": PROFILE,
        "iat": result.now_s,
        "ear.verifier-id": {"developer": "casemate", "build": __version__},
        "submods": {
            result.enclosure: {
                "ear.status": TIERS[result.worst][0],
                "ear.trustworthiness-vector": vector,
                "ear.appraisal-policy-id": result.reference,
            }
        },
    }
