"""Tokens verified a second, by the whole verifier and by the bare library over the same signatures.

One core, CPU time. The evidence is the honest enclosure's: heartbeats of a minute, frames, and a
checkpoint with three witnesses every other token. Run as a module it is the child process.
"""

from __future__ import annotations

import json
import time
from typing import Any

from benchmarks.frame import Figure, child

BATCHES = 120
ROUNDS = 15


def run() -> list[Figure]:
    """Return both rates and their ratio."""
    got = child(["-m", "benchmarks.verify"])
    name = "verify"
    return [
        Figure(benchmark=name, name="tokens verified a CPU second", value=got["whole"], unit="1/s"),
        Figure(benchmark=name, name="the same signatures by the bare library", value=got["bare"],
               unit="1/s", note="Ed25519 and ML-DSA-65 a token, five lines a checkpoint"),
        Figure(benchmark=name, name="share of the bare rate", value=got["share"], unit="",
               target=0.7, sense=">="),
    ]  # fmt: skip


def _signatures() -> tuple[Any, list[tuple[Any, bytes, bytes]]]:
    """Return the story and each (key, message, signature) in it."""
    from casemate.attest import cose
    from casemate.testing import honest_enclosure as honest
    from casemate.translog import cosignature
    from casemate.translog import note as notes

    story = honest.armed(BATCHES)
    held = honest.keys("evidence")
    publics = honest.publics(held)
    work = []
    for data in story.entries:
        item = cose.parse(data)
        for key, message, made in zip(
            held, cose.messages(item.typ, item.payload, publics), item.signatures, strict=True
        ):
            work.append((key.verifier(), message, made.signature))
    policy = honest.policy()
    verifiers = {each.public: each.verifier() for each in (*honest.LOG, *honest.WITNESSES.values())}
    known = {(key.name, key.id): key for key in (*policy.logs, *policy.witnesses.values())}
    for data in story.notes:
        note = notes.parse(data)
        for line in note.lines:
            signer = known[line.name, line.key_id]
            time_s = int.from_bytes(line.blob[:8], "big") if signer.cosigns else 0
            blob = line.blob[8:] if signer.cosigns else line.blob
            message = cosignature.message(signer, note.text, time_s)
            work.append((verifiers[signer.public], message, blob))
    return story, work


def main() -> None:
    """Measure by turns and take the best round of each: what else the machine does only adds."""
    from casemate.testing import honest_enclosure as honest
    from casemate.verify import appraise

    story, work = _signatures()
    bundle, reference, policy = story.bundle(), honest.reference(), honest.policy()
    bare, whole = [], []
    for _ in range(ROUNDS):
        begin = time.process_time()
        for key, message, signature in work:
            key.verify(signature, message)
        middle = time.process_time()
        result = appraise(bundle, reference, policy, now_s=story.now_s)
        whole.append(time.process_time() - middle)
        bare.append(middle - begin)
        assert result.exit_code == 0
    count = len(story.entries)
    print(
        json.dumps(
            {
                "bare": count / min(bare),
                "whole": count / min(whole),
                "share": min(bare) / min(whole),
            }
        )
    )


if __name__ == "__main__":
    main()
