"""Writes the worked example of docs/formats/evidence.md, when it is run.

All of it follows from a seed but the ML-DSA signature, which is drawn with fresh randomness.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from attest_samples import EVIDENCE, KEYS, heartbeats

from casemate.attest import claims as c
from casemate.attest import cose, token
from casemate.core import cbor

FORMATS = Path(__file__).parents[3] / "docs" / "formats"
PAGE, WHOLE = FORMATS / "evidence.md", FORMATS / "evidence-example.hex"
BEGIN, END = "<!-- example -->\n", "<!-- /example -->"
TOKEN = replace(
    heartbeats(), body=c.Change(before="MAINTENANCE", after="ARMED", reason="permit closed")
)
PAYLOAD = token.encode(TOKEN)
NAMES = {
    6: "iat", 261: "uptime", 265: "profile", 267: "bootcount", c.ENCLOSURE: "enclosure",
    c.SERIAL: "serial", c.KIND: "kind", c.SEQUENCE: "sequence", c.PREVIOUS: "previous",
    c.CHECKPOINT: "checkpoint", c.STATE: "state", c.VERDICT: "verdict", c.HEALTH: "health",
    c.ANCHOR: "anchor", c.SOFTWARE: "software", c.BODY: "body",
}  # fmt: skip


def shown(value: Any) -> str:
    if isinstance(value, bytes):
        return "h'" + (value.hex() if len(value) < 5 else f"{value[:2].hex()}…") + "'"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def wrapped(data: bytes, indent: str = "", width: int = 40) -> list[str]:
    return [indent + data[at : at + width].hex() for at in range(0, len(data), width)]


def claims() -> list[str]:
    value = cbor.decode(PAYLOAD)
    lines = [f"{PAYLOAD[:1].hex()}   # {len(value)} claims"]
    at = 1
    for key, each in value.items():
        pair = cbor.encode(key) + cbor.encode(each)
        assert PAYLOAD[at : at + len(pair)] == pair
        lines += wrapped(pair, "  ")
        lines[-1] += f"   # {NAMES[key]} {key}: {shown(each)}"
        at += len(pair)
    assert at == len(PAYLOAD)
    return lines


def example() -> str:
    message = cose.messages(token.TYPE, PAYLOAD, KEYS)[0]
    head = message[: -len(PAYLOAD)]
    made = EVIDENCE[0].sign(message)
    parts = [
        f"The claims, {len(PAYLOAD)} bytes:\n",
        "```", *claims(), "```",
        "\nWhat the Ed25519 key signs is this, then the claims:\n",
        "```", *wrapped(head), "```",
        "\nThe Ed25519 key, its id, and the signature:\n",
        "```", *wrapped(KEYS[0].data), *wrapped(KEYS[0].kid), *wrapped(made), "```",
        f"\nThe ML-DSA-65 key has id `{KEYS[1].kid.hex()}`; its signature has 3309 bytes.\n",
    ]  # fmt: skip
    return "\n".join(parts)


def whole() -> bytes:
    return bytes.fromhex(WHOLE.read_text())


def page() -> str:
    text = PAGE.read_text()
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def main() -> None:
    text = PAGE.read_text()
    PAGE.write_text(text.replace(BEGIN + page(), BEGIN + example()))
    if not WHOLE.exists() or cose.parse(whole()).payload != PAYLOAD:
        WHOLE.write_text("\n".join(wrapped(token.sign(TOKEN, EVIDENCE))) + "\n")


if __name__ == "__main__":
    main()
