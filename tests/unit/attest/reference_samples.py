"""Reference values of the camera, as a file."""

from __future__ import annotations

import json
from typing import Any

from attest_samples import KEYS, key, party

from casemate.core.suites import ED25519, PublicKey


def shown(each: PublicKey) -> dict[str, str]:
    return {"alg": each.name, "key": each.data.hex()}


def _party(name: str, role: str, bloc: str, seed: int) -> dict[str, Any]:
    keys = [shown(each) for each in party(name, role, bloc, seed).keys]
    return {"name": name, "role": role, "bloc": bloc, "suite": "ed25519+mldsa65", "keys": keys}


def document() -> dict[str, Any]:
    return {
        "format": "casemate-reference/1",
        "id": "camera-hall-3",
        "version": 4,
        "enclosure": "camera",
        "units": [
            {
                "serial": "UNIT-0001",
                "origin": "example.org/camera",
                "anchors": [{"name": "commissioned", "digest": "0e" * 32}],
                "enrolments": [
                    {
                        "sequence": 0,
                        "suite": "ed25519+mldsa65",
                        "keys": [shown(each) for each in KEYS],
                    }
                ],
                "modules": [{"name": "reader-loop", **shown(key(ED25519, 9).public)}],
                "inventories": [{"name": "inventory 1", "digest": "31" * 32}],
            }
        ],
        "software": [{"name": "controller 0.1", "digest": "0a" * 32}],
        "parties": [
            _party("Host", "host", "north", 10),
            _party("Inspector N", "inspector", "north", 20),
            _party("Inspector S", "inspector", "south", 30),
        ],
        "rules": [
            {
                "action": "open",
                "needs": [
                    {"role": "host", "least": 1},
                    {"role": "inspector", "least": 2, "blocs": 2},
                ],
                "blocs": 2,
            }
        ],
        "suites": [
            {"suite": "ed25519+mldsa65", "since": "2026-01-01", "until": "2031-01-01"},
            {"suite": "cnsa2", "since": "2031-01-01", "until": None},
        ],
        "timing": {
            "heartbeat_ms": 1000,
            "late_ms": 500,
            "batch_s": 130,
            "cosigned_s": 600,
            "emergency_s": 3600,
        },
    }


def as_file(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()
