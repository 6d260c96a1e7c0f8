"""Notes and keys: known answers of other implementations, strictness, fuzz."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from log_samples import LOG_KEY, NOW_S, ORIGIN, TestKey, Tree, cosigned, signed

from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, PublicKey
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature
from casemate.translog import note as notes
from casemate.translog.note import Line, Note, NoteKey
from casemate.translog.signers import log_key, witness_key

# The example of golang.org/x/mod/sumdb/note (Go's checksum database).
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
).encode()

# Keys of other implementations: C2SP signed-note, transparency-dev/formats.
FOREIGN = (
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
)

# A checkpoint of an ML-DSA-44 log, from the tests of filippo.io/torchwood's litewitness.
LITEWITNESS = Path(__file__).parent / "vectors" / "litewitness-mldsa44.txt"


def litewitness() -> tuple[str, bytes]:
    key, _, note = LITEWITNESS.read_bytes().partition(b"\n")
    return key.decode(), note


def test_a_note_of_go_is_read_and_verified():
    key = notes.parse_vkey(NEUMANN)
    note = notes.parse(NEUMANN_NOTE)
    (found,) = cosignature.require(note, (key,))
    assert found.key == key and found.time_s is None
    assert note.encode() == NEUMANN_NOTE


@pytest.mark.parametrize("text", FOREIGN)
def test_keys_of_others_are_read_and_written_back(text):
    assert notes.parse_vkey(text).vkey() == text


def test_an_ml_dsa_44_checkpoint_of_go_is_verified_and_its_altered_twin_refused():
    text, data = litewitness()
    key = notes.parse_vkey(text)
    assert key.kind == notes.COSIGNATURE_ML_DSA_44 and key.vkey() == text
    stated, note = checkpoints.parse(data)
    assert (stated.origin, stated.size) == ("example.com/mldsa-log", 1)
    (found,) = cosignature.require(note, (key,))
    assert found.time_s == 0
    altered = Note(text=note.text.replace("\n1\n", "\n2\n"), lines=note.lines)
    with pytest.raises(SignatureError):
        cosignature.require(altered, (key,))


@pytest.mark.parametrize("alg", [ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87])
def test_every_byte_of_a_line_counts(alg):
    signer = TestKey("every byte", alg)
    note = signed(Tree(5).stated(), signer)
    key = log_key(ORIGIN, signer.public)
    cosignature.require(note, (key,))
    (line,) = note.lines
    step = max(len(line.blob) // 60, 1)
    for at in range(0, len(line.blob), step):
        blob = line.blob[:at] + bytes((line.blob[at] ^ 1,)) + line.blob[at + 1 :]
        bad = Note(text=note.text, lines=(Line(name=line.name, key_id=line.key_id, blob=blob),))
        with pytest.raises(SignatureError):
            cosignature.require(bad, (key,))
    for blob in (line.blob[:-1], line.blob + b"\0", line.blob[:9]):
        bad = Note(text=note.text, lines=(Line(name=line.name, key_id=line.key_id, blob=blob),))
        with pytest.raises(SignatureError):
            cosignature.require(bad, (key,))


def test_a_key_is_bound_to_its_name_and_type():
    """Under another name or type the same bytes are another key: its lines are passed over."""
    signer = TestKey("bound")
    note = cosigned(signed(Tree(3).stated()), ("a.example", signer))
    for other in (
        witness_key("b.example", signer.public),
        NoteKey(name="a.example", kind=notes.ED25519, public=signer.public),
    ):
        assert cosignature.check(note, (other,)) == ((), ())
        with pytest.raises(SignatureError, match="none of the trusted keys"):
            cosignature.require(note, (other,))


def test_a_cosignature_is_not_a_signature_of_the_log_and_the_other_way_round():
    signer = TestKey("domain")
    stated = Tree(3).stated()
    plain = log_key(ORIGIN, signer.public)
    cosigner = witness_key(ORIGIN, signer.public)
    line = cosignature.sign(plain, signer, stated.text(), NOW_S)
    moved = Line(name=ORIGIN, key_id=cosigner.id, blob=NOW_S.to_bytes(8, "big") + line.blob)
    with pytest.raises(SignatureError):
        cosignature.check_line(cosigner, stated.text(), moved)


def test_the_earliest_good_time_counts_and_bad_lines_are_named():
    key = TestKey("w", ML_DSA_44)
    note = signed(Tree(3).stated())
    note = cosigned(note, ("w.example", key), at_s=NOW_S + 60)
    note = cosigned(note, ("w.example", key), at_s=NOW_S)
    known = witness_key("w.example", key.public)
    good, bad = cosignature.check(note, (known,))
    assert [each.time_s for each in good] == [NOW_S] and not bad
    damaged = note.lines[-1]
    blob = b"\0" * 8 + damaged.blob[8:]
    worse = note.with_lines((Line(name=damaged.name, key_id=damaged.key_id, blob=blob),))
    good, bad = cosignature.check(worse, (known,))
    assert len(good) == 1 and [each.key for each in bad] == [known]
    with pytest.raises(SignatureError, match=r"w\.example"):
        cosignature.require(worse, (known,))


SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_what_witnesses_sign_is_what_the_format_says():
    """C2SP tlog-cosignature: its example for Ed25519, its structure for ML-DSA-44."""
    old, new = (witness_key("w.example", TestKey("m", alg).public) for alg in (ED25519, ML_DSA_44))
    shown = f"cosignature/v1\ntime 1679315147\n{SOFA}".encode()
    assert cosignature.message(old, SOFA, 1679315147) == shown
    structure = (
        b"subtree/v1\n\x00\x09w.example\x00\x00\x00\x00\x64\x18\x50\xcb"
        b"\x1bexample.com/behind-the-sofa"
        + bytes(8)
        + (20852163).to_bytes(8, "big")
        + notes.strict_base64(SOFA.split("\n")[2])
    )
    assert cosignature.message(new, SOFA, 1679315147) == structure


def test_times_and_names_that_no_cosignature_can_hold_are_refused():
    signer = TestKey("m", ML_DSA_44)
    key = witness_key("w.example", signer.public)
    cosignature.message(key, SOFA, (1 << 63) - 1)
    for time_s in (1 << 63, -1):
        with pytest.raises(FormatError, match="time"):
            cosignature.message(key, SOFA, time_s)
    with pytest.raises(FormatError, match="1 to 255"):
        cosignature.message(witness_key("w" * 256, signer.public), SOFA, 0)
    other = cosignature.sign(witness_key("v.example", signer.public), signer, SOFA, 0)
    with pytest.raises(SignatureError, match="another key"):
        cosignature.check_line(key, SOFA, other)


def test_an_origin_that_no_cosignature_can_name_is_refused():
    checkpoints.check_origin("o" * 255)
    for origin in ("o" * 256, "\u00e9" * 128):
        with pytest.raises(FormatError, match="255"):
            checkpoints.check_origin(origin)


def test_extension_lines_are_refused():
    text = Tree(3).stated().text() + "extension\n"
    with pytest.raises(FormatError, match="three lines"):
        checkpoints.parse_text(text)


GOOD = signed(Tree(3).stated()).encode()

BAD_NOTES = {
    "no signature": GOOD.split(b"\n\n")[0] + b"\n\n",
    "no last newline": GOOD[:-1],
    "carriage return": GOOD.replace(b"\n", b"\r\n"),
    "control character": GOOD.replace(b"3\n", b"3\x01\n", 1),
    "not UTF-8": GOOD.replace(b"3\n", b"\xff\n", 1),
    "hyphen for the dash": GOOD.replace("—".encode(), b"-"),
    "two spaces": GOOD.replace("— ".encode(), "—  ".encode()),
    "unpadded base64": GOOD.replace(b"==\n", b"\n").replace(b"=\n", b"\n"),
    "too long": b"a" * notes.MOST_BYTES + GOOD,
    "many lines": GOOD + GOOD.split(b"\n\n")[1] * notes.MOST_LINES,
    "empty": b"",
}


@pytest.mark.parametrize("name", BAD_NOTES)
def test_malformed_notes_are_refused(name):
    with pytest.raises(FormatError):
        checkpoints.parse(BAD_NOTES[name])


LINE = NEUMANN_NOTE.split(b"\n\n")[1]


@pytest.mark.parametrize(
    "data",
    [
        b"a" * notes.MOST_BYTES + b"\n\n" + LINE,
        b"tab\t\n\n" + LINE,
        b"escape\x1b\n\n" + LINE,
        LINE,
        b"text\n\n" + LINE[:-1],
        b"text\n\n" + "— a AAAAAA==\n".encode(),
        b"text\n\n" + LINE + b"\n",
        b"text\n\n" + LINE * (notes.MOST_LINES + 1),
    ],
)
def test_malformed_texts_are_refused(data):
    notes.parse(b"text\n\n" + LINE * notes.MOST_LINES)
    with pytest.raises(FormatError):
        notes.parse(data)


@pytest.mark.parametrize(
    "text",
    [
        "o\n03\nroot\n",
        "o\n-1\nroot\n",
        "o\n+1\nroot\n",
        "o\n9223372036854775808\nroot\n",
        "o\n1 \nroot\n",
        "o\n٣\nroot\n",
        "\n3\nroot\n",
        "a b\n3\nroot\n",
        "o\n3\n\n",
        "o\n3\nroot",
    ],
)
def test_malformed_checkpoints_are_refused(text):
    root = "+zoErtsZtGO6sfiSV/v4UJSIyowisE8hvjw0q5+bD38="
    checkpoints.parse_text(f"o\n3\n{root}\n")
    with pytest.raises(FormatError):
        checkpoints.parse_text(text.replace("root", root))


@pytest.mark.parametrize(
    "text",
    [
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("c74f20a3", "C74F20A3"),
        NEUMANN[:-4],
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN.replace("PeterNeumann", ""),
        "PeterNeumann+c74f20a3",
        "a+00000000+CQ==",
        "",
    ],
)
def test_malformed_keys_are_refused(text):
    with pytest.raises(FormatError):
        notes.parse_vkey(text)


def test_a_key_does_not_take_a_type_of_another_algorithm():
    with pytest.raises(FormatError, match="does not go with"):
        NoteKey(name="a", kind=notes.COSIGNATURE_ML_DSA_44, public=LOG_KEY.public)
    with pytest.raises(FormatError):
        NoteKey(name="a", kind=b"\x02", public=LOG_KEY.public)


@given(st.binary(max_size=400))
@example(GOOD)
@example(NEUMANN_NOTE)
def test_only_our_errors_come_out_of_bytes(data):
    for parse in (notes.parse, checkpoints.parse):
        try:
            found = parse(data)
        except CasemateError:
            continue
        note = found if isinstance(found, Note) else found[1]
        assert note.encode() == data


@given(st.data())
def test_mutated_notes_are_refused_or_read_back(data):
    """One to three edits of a good note: never another exception, never another rendering."""
    note = bytearray(data.draw(st.sampled_from((GOOD, NEUMANN_NOTE, litewitness()[1]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(note) - 1))
        piece = data.draw(st.binary(max_size=3))
        note[at : at + data.draw(st.integers(0, 3))] = piece
        if not note:
            return
    try:
        stated, found = checkpoints.parse(bytes(note))
    except CasemateError:
        return
    assert found.encode() == note
    assert checkpoints.parse_text(stated.text()) == stated and stated.text() == found.text


@given(st.text(max_size=200))
@example(NEUMANN)
def test_only_our_errors_come_out_of_keys(text):
    try:
        key = notes.parse_vkey(text)
    except CasemateError:
        return
    assert key.vkey() == text


def test_a_public_key_of_another_size_is_no_key():
    with pytest.raises(FormatError):
        log_key(ORIGIN, PublicKey(ED25519, b"\0" * 31))
