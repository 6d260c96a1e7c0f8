"""Every parser of bytes that may come from an adversary, with valid bytes to begin from."""

from __future__ import annotations

import json
import random
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from mutations import Bend, bent, bent_cbor, bent_json, both

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "translog"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "attest"))

from log_samples import LOG_KEY, LOG_KEYS, TestKey, Tree, cosigned, signed
from made_quotes import PCRS, Quote, key_area
from maker_certificates import NOW_S, between, of_key, root
from maker_certificates import key as made_key

from casemate.attest import approval as approvals
from casemate.attest import (
    cose,
    endorsement,
    permit,
    quote,
    reference_write,
    release,
    token,
)
from casemate.attest import reference as references
from casemate.attest.keys import approval, wire
from casemate.control import anchor_file, memory
from casemate.control.states import Machine
from casemate.core import cbor, local_socket
from casemate.detect.anchor import Anchor, anchor_bytes
from casemate.testing import honest_enclosure as honest
from casemate.translog import (
    bundle,
    checkpoint,
    cosignature,
    guilt,
    merkle,
    note,
    pending,
    plain_json,
    policy,
    proof,
    receipt,
    request,
    tiles,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """A parser, samples that it takes, and how they are bent. weight: share of all cases."""

    name: str
    parse: Callable[[bytes], object]
    samples: tuple[bytes, ...]
    bend: Bend = bent
    weight: float = 1.0


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def _signed(data: bytes, draw: random.Random) -> bytes:
    """Bend the payload of a COSE_Sign and leave its form."""
    item = cose.parse(data)
    payload = bent_cbor(item.payload, draw)[:65_000]
    return cose.write(cose.Signed(typ=item.typ, payload=payload, signatures=item.signatures))


def _frame(data: bytes) -> object:
    """Send bytes to who reads frames of a key holder's process."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        near.send(data[:100_000])
        near.close()
        return wire.opened(wire.receive(far))


def _line(data: bytes) -> object:
    """Send bytes to the desk of the controller."""
    near, far = socket.socketpair()
    with near, far:
        near.sendall(data[:100_000] + b"\n")
        near.close()
        return local_socket.read_object(far)


def _quorum(data: bytes) -> object:
    return approval.Quorum.from_plain(cbor.decode(data))


_QUOTED = Quote().signed()


def _quote(data: bytes) -> object:
    """Check a good quote, with these bytes as the key's public area."""
    expected = quote.Expected(key=data, pcrs=PCRS, extra=b"\x45" * 32)
    return quote.check_quote(*_QUOTED, expected)


_FOLDER = tempfile.TemporaryDirectory(prefix="casemate-fuzz-")


def _bundle(data: bytes) -> object:
    """Read a folder of which one file holds these bytes: the first of them says which."""
    folder = Path(_FOLDER.name)
    files = ("bundle.json", "checkpoint", "witnessed/00000000000000000001", "tile/entries/000.p/2",
             f"pending/{2:020d}")  # fmt: skip
    held = _bundle_files()
    which = files[data[0] % len(files)] if data else files[0]
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[1:] if name == which else held[name])
    return bundle.read_bundle(folder)


def _bundle_files() -> dict[str, bytes]:
    small = Tree(2)
    whole = signed(small.stated()).encode()
    row = {"format": bundle.FORMAT, "enclosure": "c", "serial": "1", "origin": small.origin}
    mark = b"m" * 16
    rest = pending.header(2, mark) + pending.frame(mark, pending.HEADER_BYTES, [b"c"])
    return {
        "bundle.json": json.dumps(row).encode(),
        "checkpoint": whole,
        "witnessed/00000000000000000001": whole,
        "tile/entries/000.p/2": tiles.pack_entries(small.entries),
        f"pending/{2:020d}": rest,
    }


def _statements() -> Iterator[bytes]:
    parties = honest.keys("hostland")
    sizes = {"commission": 32, "re-anchor": 32, "unseal": 16}
    for purpose in approvals.PURPOSES:
        said = approvals.Statement(
            enclosure="camera", serial="1", purpose=purpose,
            challenge=bytes(32 if purpose == "unseal" else 16),
            subject=bytes(sizes.get(purpose, 0)),
        )  # fmt: skip
        yield approvals.build(said, parties)


def parsers() -> tuple[Parser, ...]:
    """Return all of them."""
    return (*_of_evidence(), *_of_trust(), *_of_the_log(), *_of_guilt_and_bundles(), *_of_keys())


def _of_evidence() -> Iterator[Parser]:
    told = honest.armed(2)
    told.allow()
    permits = (token.peek(told.entries[-1])[1].body.signed,)
    entries = told.entries
    values = honest.reference()
    payloads = tuple(cose.parse(each).payload for each in entries)
    yield Parser(name="core.cbor", parse=cbor.decode, samples=payloads, bend=both(bent_cbor))
    yield Parser(name="attest.cose", parse=cose.parse, samples=entries)
    yield Parser(name="attest.token", parse=token.peek, samples=entries, bend=both(_signed))
    yield Parser(name="attest.permit", parse=permit.peek, samples=permits, bend=both(_signed))
    yield Parser(
        name="attest.reference (JSON)",
        parse=references.load,
        samples=(reference_write.as_json(values).encode(),),
        bend=both(bent_json),
        weight=0.2,
    )
    yield Parser(
        name="attest.reference (CBOR)",
        parse=references.load,
        samples=(reference_write.as_cbor(values),),
        bend=both(bent_cbor),
        weight=0.2,
    )
    yield Parser(
        name="attest.approval",
        parse=approvals.peek,
        samples=tuple(_statements()),
        bend=both(_signed),
    )
    memory_of = Machine(
        enclosure="c", serial="1", faces=frozenset({"front"}), modules=frozenset({"reader"}),
        boot=bytes(16), used=((bytes(32), 9.0),),
    )  # fmt: skip
    yield Parser(
        name="control.memory",
        parse=memory.load,
        samples=(memory.dump(memory_of),),
        bend=both(bent_cbor),
    )
    yield Parser(
        name="control.anchor_file",
        parse=anchor_file.anchors_of,
        samples=(anchor_bytes(()), _anchor()),
        bend=both(bent_json),
        weight=0.5,
    )


def _of_trust() -> Iterator[Parser]:
    values = honest.reference()
    data = reference_write.as_json(values).encode()
    statement = release.encode(release.release_of(values, data, 1))
    north = release.Root(name="north", alg="SLH-DSA-SHA2-128s", key=bytes(range(32)))
    signed_by = release.build(statement, [(north.kid, bytes(7_856))])
    pinned = {
        "format": release.ROOTS_FORMAT, "least": 1, "version": 1,
        "roots": [{"name": north.name, "alg": north.alg, "key": north.key.hex()}],
    }  # fmt: skip
    yield Parser(
        name="attest.release",
        parse=release.parse,
        samples=(signed_by,),
        bend=both(bent_cbor),
        weight=0.2,
    )
    yield Parser(
        name="attest.release (roots)",
        parse=release.load_roots,
        samples=(json.dumps(pinned).encode(),),
        bend=both(bent_json),
        weight=0.2,
    )
    ek = of_key(made_key("endorsement").public_key()).der
    makers = endorsement.load_makers(root().pem + between().pem)
    name = endorsement.name_of(ek)
    yield Parser(
        name="attest.endorsement",
        parse=lambda held: endorsement.check_certificate(held, name, makers, NOW_S),
        samples=(ek, between().der),
        weight=0.2,
    )
    yield Parser(
        name="attest.endorsement (roots)",
        parse=endorsement.load_makers,
        samples=(root().pem + between().pem,),
        weight=0.1,
    )


def _anchor() -> bytes:
    row = {"data": "AAAAAAAA8D8=", "dtype": "<f8", "shape": [1]}
    kinds = {"str": "a", "float": 1.5, "tuple[str, ...]": ["a"]}
    one = {each.name: kinds.get(str(each.type), row) for each in fields(Anchor)}
    document = {"anchors": [{"type": "Anchor", **one}], "format": "casemate/anchor/1"}
    return json.dumps(document).encode()


def _of_the_log() -> Iterator[Parser]:
    tree = Tree(21)
    seen = cosigned(signed(tree.stated()), ("w.example", TestKey("w")))
    path = merkle.inclusion_proof(tree.node, 5, 21)
    hashes = merkle.consistency_proof(tree.node, 5, 21)
    mark = b"m" * 16
    held = honest.policy_text()
    whole = proof.LogProof(index=5, hashes=path, checkpoint=seen.encode(), extra=b"x").encode()
    asked = request.Request(old=5, hashes=hashes, stated=tree.stated(), note=seen).encode()
    kept = receipt.inclusion(LOG_KEY, tree.stated(), 5, path)
    grown = receipt.consistency(LOG_KEY, tree.stated(), 5, hashes)
    old, new = merkle.root_of(tree.leaves[:5]), tree.stated().root
    segment = pending.header(7, mark) + pending.frame(mark, pending.HEADER_BYTES, [b"a", b"b" * 90])
    longer = segment + pending.frame(mark, len(segment), [b"c"])  # damage before it is refused
    simple: dict[str, tuple[Callable[[bytes], object], bytes]] = {
        "note": (note.parse, seen.encode()),
        "checkpoint": (checkpoint.parse, seen.encode()),
        "cosignature": (lambda data: cosignature.check(note.parse(data), LOG_KEYS), seen.encode()),
        "vkey": (_text(note.parse_vkey), LOG_KEYS[0].vkey().encode()),
        "policy": (policy.parse, held),
        "proof": (proof.parse, whole),
        "request": (request.parse, asked),
        "receipt (inclusion)": (
            lambda data: receipt.verify_inclusion(
                data, tree.entries[5], tree.origin, [LOG_KEY.public]
            ),
            kept,
        ),
        "receipt (consistency)": (
            lambda data: receipt.verify_consistency(
                data, tree.origin, 5, old, new, [LOG_KEY.public]
            ),
            grown,
        ),
        "tiles (entries)": (tiles.unpack_entries, tiles.pack_entries([b"a", b"", b"c" * 300])),
        "tiles (hashes)": (tiles.unpack_hashes, b"".join(tree.leaves)),
        "tiles (path)": (_text(tiles.parse_path), b"tile/0/x001/234.p/7"),
        "pending": (lambda data: pending.parse(data, 7), segment),
    }
    more = {"pending": (longer,)}
    for name, (parse, sample) in simple.items():
        yield Parser(name=f"translog.{name}", parse=parse, samples=(sample, *more.get(name, ())))


def _of_guilt_and_bundles() -> Iterator[Parser]:
    seen = cosigned(signed(Tree(21).stated()), ("w.example", TestKey("w")))
    forked = guilt.find(seen.encode(), signed(Tree(21, fork_at=3).stated()).encode())
    assert forked is not None
    yield Parser(
        name="translog.guilt", parse=guilt.parse, samples=(forked.encode(),), bend=both(bent_json)
    )
    yield Parser(
        name="translog.plain_json",
        parse=lambda data: plain_json.loads(data, "x"),
        samples=(forked.encode(), b'{"a": [1, {"b": null}]}'),
        bend=both(bent_json),
    )
    files = _bundle_files().values()
    yield Parser(
        name="translog.bundle",
        parse=_bundle,
        samples=tuple(bytes((number,)) + each for number, each in enumerate(files)),
        weight=0.05,
    )


def _of_keys() -> Iterator[Parser]:
    party = approval.Approver(role="host", keys=(LOG_KEY.public,))
    quorum = approval.Quorum(parties=(party,), least=1)
    subject, challenge = bytes(16), bytes(32)
    said = approvals.Statement(
        enclosure="camera", serial="1", purpose="unseal", challenge=challenge, subject=subject
    )
    yield Parser(
        name="attest.keys.approval",
        parse=lambda data: quorum.check(data, subject, challenge),
        samples=(approvals.build(said, (LOG_KEY,)),),
        bend=both(_signed),
    )
    yield Parser(
        name="attest.keys.approval (roster)",
        parse=_quorum,
        samples=(cbor.encode(quorum.as_plain()),),
        bend=both(bent_cbor),
    )
    yield Parser(
        name="attest.keys.wire",
        parse=_frame,
        samples=(
            cbor.encode({"ok": [b"x" * 64]}),
            cbor.encode({"error": "SealedError", "say": "sealed", "remedy": "approve"}),
        ),
        bend=both(bent_cbor),
        weight=0.3,
    )
    yield Parser(name="attest.quote", parse=quote.read_attest, samples=(Quote().attest(),))
    yield Parser(name="attest.quote (key)", parse=_quote, samples=(key_area(),), weight=0.1)
    yield Parser(
        name="core.local_socket",
        parse=_line,
        samples=(b'{"do": "status"}', b'{"do": "attack", "move": "drill", "at": [1, 2.5]}'),
        bend=both(bent_json),
        weight=0.2,
    )
