"""The worked example of docs/formats/log.md is what the code gives."""

from __future__ import annotations

import re
from pathlib import Path

from log_samples import LOG_KEYS, ORIGIN, TestKey, Tree, cosigned, signed

from casemate.translog import cosignature, merkle

PAGE = (Path(__file__).parents[3] / "docs" / "formats" / "log.md").read_text(encoding="utf-8")


def test_the_worked_example_is_what_the_code_gives():
    tree = Tree(3)
    for entry in tree.entries:
        assert f"`{entry.decode()}`" in PAGE and merkle.leaf_hash(entry).hex() in PAGE
    note = cosigned(signed(tree.stated()), ("state-a.example/w1", TestKey("example")))
    assert note.encode().decode() in PAGE
    assert LOG_KEYS[0].vkey() in PAGE and LOG_KEYS[0].name == ORIGIN
    message = cosignature.subtree_message("state-a.example/w1", tree.stated(), 1_800_000_000)
    shown = PAGE.split("737562747265652f76310a00", 1)[1].split("```")[0]
    digits = "".join(
        "".join(re.findall(r"\b[0-9a-f]{2,}\b", row.split("  ")[0])) for row in shown.split("\n")
    )
    assert "737562747265652f76310a00" + digits == message.hex()
