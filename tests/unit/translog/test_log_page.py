"""The worked example of docs/formats/log.md is what the code gives."""

from __future__ import annotations

import re
from pathlib import Path

import pycddl
import pytest
from log_samples import LOG_KEY, LOG_KEYS, ORIGIN, TestKey, Tree, cosigned, signed

from casemate.core import cbor
from casemate.translog import cosignature, merkle, receipt

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


def rule(name: str) -> pycddl.Schema:
    """The page's CDDL with `name` as its root; pycddl takes `.cbor` in an array for all its items,
    so what is wrapped is checked on its own."""
    text = re.search(r"```cddl\n(.*?)```", PAGE, re.DOTALL)[1]
    rows = re.sub(r"bstr \.cbor \S+", "bstr", text).splitlines()
    rows.sort(key=lambda row: not row.startswith(f"{name} ="))
    return pycddl.Schema("\n".join(rows) + "\n")


def test_receipts_are_what_the_cddl_says():
    tree = Tree(21)
    paths = merkle.inclusion_proof(tree.node, 5, 21), merkle.consistency_proof(tree.node, 5, 21)
    for made, kind, label in (
        (receipt.inclusion(LOG_KEY, tree.stated(), 5, paths[0]), "inclusion", -1),
        (receipt.consistency(LOG_KEY, tree.stated(), 5, paths[1]), "consistency", -2),
        (receipt.inclusion(LOG_KEY, tree.stated(1), 0, ()), "inclusion", -1),
    ):
        rule("receipt").validate_cbor(made)
        protected, unprotected, _, _ = cbor.decode(made[1:])
        rule("head").validate_cbor(protected)
        (inner,) = unprotected[396][label]
        rule(kind).validate_cbor(inner)
        head = cbor.decode(protected)
        del head[395]
        for name, bad in (
            ("receipt", made[1:]),
            ("receipt", receipt.TAG + cbor.encode([protected, {}, None, b""])),
            ("head", cbor.encode(head)),
            (kind, cbor.encode([1, 2, [b"short"]])),
        ):
            with pytest.raises(pycddl.ValidationError):
                rule(name).validate_cbor(bad)
