"""Policies: nested groups against counting, quorum times, what the format forbids, fuzz."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import LOG_KEYS, NOW_S, TestKey, Tree, cosigned, signed

from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import ML_DSA_44
from casemate.translog import policy as policies
from casemate.translog.errors import QuorumError
from casemate.translog.signers import witness_key

NAMES = ("a1", "a2", "a3", "b1", "b2")
WITNESSES = {name: TestKey(name, ML_DSA_44 if name == "a1" else -19) for name in NAMES}
KEYS = {name: witness_key(f"{name}.example", key.public) for name, key in WITNESSES.items()}

BLOCS = "\n".join(
    [
        "# two blocs that do not trust each other",
        f"log {LOG_KEYS[0].vkey()} https://log.example/",
        *(f"witness {name} {key.vkey()}" for name, key in KEYS.items()),
        "group bloc-A 2 a1 a2 a3",
        "group bloc-B any b1 b2",
        " \tgroup\tboth  all bloc-A bloc-B ",
        "quorum both",
        "",
    ]
).encode()


def note_of(names, times=None):
    note = signed(Tree(3).stated())
    for place, name in enumerate(names):
        at_s = times[place] if times else NOW_S
        note = cosigned(note, (f"{name}.example", WITNESSES[name]), at_s=at_s)
    return note


def test_two_of_bloc_a_and_one_of_bloc_b():
    policy = policies.parse(BLOCS)
    for count in range(6):
        for names in itertools.combinations(NAMES, count):
            of_a, of_b = sum(n[0] == "a" for n in names), sum(n[0] == "b" for n in names)
            if of_a >= 2 and of_b >= 1:
                assert set(policies.check(policy, note_of(names)).witnesses) == set(names)
            else:
                with pytest.raises(QuorumError) as error:
                    policies.check(policy, note_of(names))
                assert ("bloc-A" in str(error.value)) or ("bloc-B" in str(error.value))


def test_quorum_times_are_the_earliest_and_latest_that_a_quorum_vouches_for():
    policy = policies.parse(BLOCS)
    times = [NOW_S + each for each in (50, 10, 30, 20, 40)]
    met = policies.check(policy, note_of(NAMES, times))
    by_brute_force = [
        [times[NAMES.index(name)] for name in names]
        for count in range(6)
        for names in itertools.combinations(NAMES, count)
        if policies.holds(policy, "both", names)
    ]
    assert met.by_s == min(max(each) for each in by_brute_force) == NOW_S + 30
    assert met.after_s == max(min(each) for each in by_brute_force) == NOW_S + 30
    late = policies.check(policy, note_of(("a1", "a2", "b1"), [*times[:2], NOW_S + 99]))
    assert (late.by_s, late.after_s) == (NOW_S + 99, NOW_S + 10)


def test_the_log_itself_must_have_signed():
    policy = policies.parse(BLOCS)
    note = note_of(NAMES)
    bare = type(note)(text=note.text, lines=note.lines[1:])
    with pytest.raises(QuorumError, match="no trusted log"):
        policies.check(policy, bare)
    elsewhere = signed(Tree(3, origin="other.example/log").stated(), TestKey("other"))
    for name in NAMES:
        elsewhere = cosigned(elsewhere, (f"{name}.example", WITNESSES[name]))
    with pytest.raises(QuorumError, match="no trusted log"):
        policies.check(policy, elsewhere)


def test_a_forged_line_does_not_count_and_is_named():
    policy = policies.parse(BLOCS)
    good, forged = note_of(("a2", "b1")), note_of(("a1",))
    moved = signed(Tree(4).stated())
    moved = cosigned(moved, *((f"{n}.example", WITNESSES[n]) for n in ("a2", "b1")))
    moved = moved.with_lines(forged.lines[1:])
    with pytest.raises(QuorumError, match=r"a1\.example does not fit"):
        policies.check(policy, moved)
    policies.check(policy, good.with_lines(forged.lines[1:]))


def test_a_policy_without_witnesses_is_not_enough_unless_asked_for():
    policy = policies.parse(BLOCS.replace(b"quorum both", b"quorum none"))
    with pytest.raises(QuorumError, match="no witness"):
        policies.check(policy, note_of(NAMES))
    assert policies.check(policy, note_of(()), witnessed=False).by_s is None


A1 = KEYS["a1"].vkey()
BAD = {
    "no quorum": f"witness a {A1}\n",
    "two quorums": f"witness a {A1}\nquorum a\nquorum a\n",
    "unknown quorum": f"witness a {A1}\nquorum b\n",
    "group later": f"quorum g\nwitness a {A1}\ngroup g any a\n",
    "member twice": f"witness a {A1}\ngroup g any a\ngroup h any a\nquorum g\n",
    "member twice in one": f"witness a {A1}\ngroup g 1 a a\nquorum g\n",
    "none as member": f"witness a {A1}\ngroup g any none\nquorum g\n",
    "none as name": f"witness none {A1}\nquorum none\n",
    "name twice": f"witness a {A1}\nwitness a {KEYS['b1'].vkey()}\nquorum a\n",
    "key twice": f"witness a {A1}\nwitness b {A1}\nquorum a\n",
    "key twice under names": f"witness a {A1}\nwitness b "
    f"{witness_key('other.example', WITNESSES['a1'].public).vkey()}\nquorum a\n",
    "log twice": f"log {LOG_KEYS[0].vkey()}\nlog {LOG_KEYS[0].vkey()}\nquorum none\n",
    "log's key as witness": f"witness a {LOG_KEYS[0].vkey()}\nquorum a\n",
    "zero of": f"witness a {A1}\ngroup g 0 a\nquorum g\n",
    "more than all": f"witness a {A1}\ngroup g 2 a\nquorum g\n",
    "leading zero": f"witness a {A1}\ngroup g 01 a\nquorum g\n",
    "empty group": f"witness a {A1}\ngroup g any\nquorum a\n",
    "unknown word": f"witness a {A1}\nquorum a\nmirror a\n",
    "control character": f"witness a {A1}\r\nquorum a\n",
    "no last newline": f"witness a {A1}\nquorum a",
    "words left": f"witness a {A1}\nquorum a b\n",
    "many": f"witness g0 {A1}\n"
    + "".join(f"group g{n} any g{n - 1}\n" for n in range(1, 1100))
    + "quorum g7\n",
    "control character in a comment": f"# \x1b[2J\nwitness a {A1}\nquorum a\n",
    "too long": f"witness a {A1}\nquorum a\n" + "#" * policies.MOST_BYTES + "\n",
    "empty": "",
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_format_forbids_is_refused(name):
    with pytest.raises(FormatError, match="policy"):
        policies.parse(BAD[name].encode())


def test_names_are_octets():
    data = b"witness \xff\xc3 " + A1.encode() + b"\nquorum \xff\xc3\n"
    policy = policies.parse(data)
    with pytest.raises(QuorumError):
        policies.check(policy, note_of(()), logs=LOG_KEYS)


@given(st.data())
def test_only_our_errors_come_out(data):
    rows = BLOCS.split(b"\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(rows) - 1))
        rows[at] = data.draw(
            st.one_of(
                st.binary(max_size=40),
                st.sampled_from(rows),
                st.sampled_from([b"group x 2 a1 b1", b"quorum a1", b"group bloc-A any a1", b""]),
            )
        )
    try:
        policy = policies.parse(b"\n".join(rows))
        policies.check(policy, note_of(NAMES), logs=LOG_KEYS)
    except CasemateError:
        return
    assert policy.quorum
