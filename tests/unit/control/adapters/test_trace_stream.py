"""Chunks of traces: each checked alone, the chain over many, and each fault planted and found."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pycddl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from item_signer import Enclosure, Given, kept, signs, stream

from casemate.control.adapters import payload, trace
from casemate.control.adapters.contents import Contents
from casemate.control.adapters.payload import PROOF
from casemate.core import cbor
from casemate.core.errors import FormatError, InputError, SignatureError

METER = trace.Meter(rate_hz=1000, unit="V", count_nano=1000)


def drafts(count: int) -> list[Any]:
    part = np.arange(10, dtype=np.int16)
    return [trace.draft(b"r" * 16, 10 * k, METER, part + k) for k in range(count)]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Enclosure, list[Path]]:
    enclosure = Enclosure()
    folder = tmp_path_factory.mktemp("trace")
    return enclosure, signs(enclosure, Given(drafts(6)), folder, 6)


def told(enclosure: Enclosure, paths: list[Path]) -> tuple[list[str], list[str]]:
    contents = Contents()
    for each in paths:
        contents.take(each.read_bytes(), enclosure.check(each))
    return contents.end()


def test_each_chunk_is_checked_alone_and_the_chain_holds(
    signed: tuple[Enclosure, list[Path]],
) -> None:
    enclosure, paths = signed
    assert [each.name for each in paths] == [f"{k:08d}.trace" for k in range(6)]
    for number, path in enumerate(paths):
        found = enclosure.check(path)
        chunk = trace.decode(path.read_bytes())
        assert (found.number, found.stream, chunk.sample) == (number, "trace", 10 * number)
        assert np.array_equal(chunk.samples, np.arange(10) + number)
    assert told(enclosure, paths) == ([], [])


def test_an_altered_chunk_is_refused(signed: tuple[Enclosure, list[Path]]) -> None:
    enclosure, paths = signed
    data, shown = paths[2].read_bytes(), (paths[2].with_name(paths[2].name + PROOF)).read_bytes()
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1
        with pytest.raises(SignatureError):
            payload.vouched(bytes(altered), shown, enclosure.reference, "UNIT-0001")


def test_a_chunk_under_another_proof_is_refused(signed: tuple[Enclosure, list[Path]]) -> None:
    enclosure, paths = signed
    other = paths[3].with_name(paths[3].name + PROOF).read_bytes()
    with pytest.raises(SignatureError):
        payload.vouched(paths[2].read_bytes(), other, enclosure.reference, "UNIT-0001")


def test_a_chunk_signed_under_another_number_is_refused(tmp_path: Path) -> None:
    """The enclosure's own process may go wrong: what it signed says another number."""
    enclosure = Enclosure()
    wrong = [lambda _number, before: ("00000000.trace", drafts(8)[7](7, before)[1])]
    (path,) = signs(enclosure, Given(wrong), tmp_path, 1)
    with pytest.raises(SignatureError, match="chunk 7 lies under the proof of chunk 0"):
        Contents().take(path.read_bytes(), enclosure.check(path))


def test_dropped_swapped_and_forked_chunks_break_the_chain(
    signed: tuple[Enclosure, list[Path]], tmp_path: Path
) -> None:
    enclosure, paths = signed
    broken, _ = told(enclosure, [*paths[:2], *paths[3:]])
    assert broken == ["between chunks 1 and 3: 1 are missing"]
    broken, _ = told(enclosure, [paths[0], paths[2], paths[1], paths[3]])
    assert "between chunks 2 and 1: they are not in order" in broken
    other = signs(enclosure, Given(drafts(3)), tmp_path, 3)  # another history of the same numbers
    broken, _ = told(enclosure, [paths[0], other[1], paths[2]])
    assert len(broken) == 2 and all("another chunk as the one before" in each for each in broken)


def test_a_chain_goes_on_after_a_start(tmp_path: Path) -> None:
    enclosure = Enclosure()
    assert len(signs(enclosure, Given(drafts(3)), tmp_path, 3)) == 3
    paths = signs(enclosure, Given(drafts(2)), tmp_path, 2, first=3)
    broken, notes = told(enclosure, paths)
    assert broken == ["chunk 3: samples are counted twice"]  # one run, begun twice
    chunk, last = trace.decode(paths[3].read_bytes()), enclosure.check(paths[2])
    assert chunk.before == last.leaf and notes == []


def test_a_chain_whose_last_chunk_was_lost_begins_anew_and_says_so(tmp_path: Path) -> None:
    enclosure = Enclosure()
    paths = signs(enclosure, Given(drafts(2)), tmp_path / "a", 2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / paths[1].name).unlink()
    later = signs(enclosure, Given(drafts(1)), tmp_path / "b", 1, first=2)[-1]
    assert "between chunks 1 and 2: the chain begins anew" in told(enclosure, [paths[1], later])[0]


def test_what_was_not_guarded_is_missing_by_samples_not_by_numbers(tmp_path: Path) -> None:
    enclosure = Enclosure()
    pieces = drafts(6)

    class Source:
        def __iter__(self) -> Any:
            for number, each in enumerate(pieces):
                enclosure.on = number not in (2, 3)
                yield each
                yield None
            while True:
                yield None

    paths = signs(enclosure, Source(), tmp_path, 4)
    broken, notes = told(enclosure, paths)
    assert broken == [] and notes == ["chunk 2: 20 samples before it were not signed"]
    assert [each.first for each in enclosure.bodies] == list(range(len(enclosure.bodies)))


def test_a_batch_that_was_not_signed_leaves_no_hole(tmp_path: Path) -> None:
    """Or `verify` would say that payload was suppressed: payload.order."""
    enclosure = Enclosure()
    enclosure.refuse = 2
    made = stream(enclosure, Given(drafts(5)), tmp_path)
    until_s = time.monotonic() + 20.0
    while made.signed < 3 and time.monotonic() < until_s:
        time.sleep(0.01)
    made.close()
    assert (made.signed, made.passed) == (3, 2)
    counts = [each.count for each in enclosure.bodies]  # those that come meanwhile go together
    assert [each.first for each in enclosure.bodies] == [
        sum(counts[:k]) for k in range(len(counts))
    ]
    assert sum(counts) == 3
    assert [each.name for each in tmp_path.glob("*.trace")] and len(kept(tmp_path)) == 3
    assert len(list(tmp_path.glob("*.trace"))) == 3  # no item lies about without a proof
    assert told(enclosure, kept(tmp_path))[0] == []


def test_files_of_both_kinds_become_chunks(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    whole = np.random.default_rng(1).integers(-900, 900, 250, dtype=np.int16)
    np.save(source / "a.npy", whole[:150])
    (source / "b.raw").write_bytes(whole[150:].astype("<i2").tobytes())
    enclosure = Enclosure()
    paths = signs(enclosure, trace.TraceFiles(source, METER, samples=60), out, 5)
    chunks = [trace.decode(each.read_bytes()) for each in paths]
    assert np.array_equal(np.concatenate([each.samples for each in chunks]), whole)
    assert [each.sample for each in chunks] == [0, 60, 120, 150, 210]
    assert told(enclosure, paths) == ([], [])


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.save(path, np.zeros(4)),
        lambda path: np.save(path, np.zeros((2, 2), dtype=np.int16)),
        lambda path: np.save(path, np.array([{}], dtype=object)),
        lambda path: path.write_bytes(b"\x93NUMPY"),
        lambda path: path.write_bytes(b""),
    ],
)
def test_files_that_are_no_traces_are_refused(write: Any, tmp_path: Path) -> None:
    write(tmp_path / "x.npy")
    with pytest.raises(InputError):
        trace.read_trace(tmp_path / "x.npy")


def test_made_up_traces_repeat_and_move() -> None:
    one, two = (next(iter(trace.MadeUpTraces(seed=s)))(0, b"")[1] for s in (1, 2))
    again = next(iter(trace.MadeUpTraces(seed=1)))(0, b"")[1]
    first, other = trace.decode(one), trace.decode(two)
    assert np.array_equal(first.samples, trace.decode(again).samples)
    assert not np.array_equal(first.samples, other.samples)
    assert len(first.samples) == trace.SAMPLES and np.ptp(first.samples) > 1000


FIELDS = cbor.decode(drafts(1)[0](0, b"")[1])


@pytest.mark.parametrize(
    "change",
    [
        {1: "casemate-trace/2"}, {2: "camera"}, {3: -1}, {3: "0"}, {4: b"x"}, {5: b""}, {6: True},
        {7: 0}, {8: 1}, {9: 0}, {10: b""}, {10: b"abc"}, {11: 1},
    ],
)  # fmt: skip
def test_malformed_chunks_are_refused(change: dict[int, Any]) -> None:
    assert trace.decode(cbor.encode(FIELDS)).number == 0
    with pytest.raises(FormatError):
        trace.decode(cbor.encode({**FIELDS, **change}))


def test_chunks_fit_the_grammar_and_the_example() -> None:
    formats = Path(__file__).parents[4] / "docs" / "formats"
    schema = pycddl.Schema((formats / "trace.cddl").read_text())
    data = drafts(1)[0](0, b"")[1]
    for each in (data, drafts(2)[1](1, bytes(32))[1]):
        schema.validate_cbor(each)
    with pytest.raises(pycddl.ValidationError):
        schema.validate_cbor(cbor.encode({**FIELDS, 4: b"x"}))
    page = (formats / "payload.md").read_text()
    lines = page[page.index("aa   ") :].partition("```")[0].splitlines()
    shown = "".join(part for line in lines for part in line[:40].split() if part != "...")
    assert data.hex().startswith(shown)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_chunk_or_an_error_of_ours(data: bytes) -> None:
    try:
        chunk = trace.decode(data)
    except FormatError:
        return
    assert trace.encode(chunk) == data


def test_proofs_hold_for_batches_of_each_size() -> None:
    """The tree is worked out once for a batch; each path is that of a tree worked out anew."""
    from casemate.translog import merkle

    for count in range(1, 40):
        items = [payload.item(bytes([k])) for k in range(count)]
        said = payload.body("trace", 5, items)
        for index, row in enumerate(payload.proofs(said, items, b"token")):
            path = [bytes.fromhex(each) for each in row["path"]]
            merkle.check_inclusion(items[index].leaf, index, count, path, said.root)
            assert row["number"] == 5 + index and json.dumps(row)
