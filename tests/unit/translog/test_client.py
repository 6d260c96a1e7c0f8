"""A log and its witnesses over real HTTP: cosigning, catching up, rollback, forks, outages."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from log_samples import LOG_KEY, LOG_KEYS, NOW_S, ORIGIN, TestKey, signed

from casemate.core.errors import InputError, SignatureError
from casemate.core.suites import ML_DSA_44
from casemate.testing.unsafe_disk import UnsafeDisk
from casemate.translog import checkpoint as checkpoints
from casemate.translog import client, cosignature, policy, serve
from casemate.translog import note as notes
from casemate.translog.client import HttpAsker, Peer
from casemate.translog.errors import RollbackError, WitnessError
from casemate.translog.log import Log
from casemate.translog.note import NoteKey
from casemate.translog.request import CONFLICT
from casemate.translog.serve import WitnessServer
from casemate.translog.signers import witness_key
from casemate.translog.witness import SIZE, Answer, Witness


def new_witness(name: str, alg: int = -19) -> Witness:
    return Witness(
        UnsafeDisk(), name, (TestKey(name, alg),), {ORIGIN: LOG_KEYS}, clock=lambda: NOW_S
    )


@contextmanager
def served(witness: Witness, **how: float):
    server = WitnessServer(("127.0.0.1", 0), witness, **how)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def peer(witness: Witness, asker=None) -> Peer:
    return Peer(name=witness.keys[0].name, keys=witness.keys, asker=asker or witness)


def new_log(disk: UnsafeDisk | None = None) -> Log:
    return Log(disk or UnsafeDisk(), ORIGIN, LOG_KEY, clock=lambda: NOW_S)


def test_a_log_is_cosigned_over_http_until_its_policy_is_met():
    one, two = new_witness("one.example", ML_DSA_44), new_witness("two.example")
    log = new_log()
    with served(one) as url_one, served(two) as url_two:
        peers = [peer(one, HttpAsker(url_one)), peer(two, HttpAsker(url_two + "/"))]
        sizes: dict[str, int] = {}
        for count in (3, 300, 1):
            log.append([b"x"] * count)
            found = client.cosign(log, peers, sizes)
            assert not found.failed
            sizes = dict(found.sizes)
    rows = [
        f"witness {n} {witness_key(n, TestKey(n, a).public).vkey()}"
        for n, a in (("one.example", ML_DSA_44), ("two.example", -19))
    ]
    rows += ["group all2 all one.example two.example", "quorum all2", ""]
    met = policy.check(
        policy.parse("\n".join(rows).encode()), notes.parse(found.checkpoint), logs=LOG_KEYS
    )
    assert met.by_s == NOW_S
    assert len(log._disk.names("witnessed")) == 3
    assert log.fsck() == 304


def test_a_witness_that_lags_is_caught_up():
    """After a week without it, the size it names in its 409 is where the proof starts."""
    witness, log = new_witness("w.example"), new_log()
    log.append([b"a"] * 5)
    client.cosign(log, [peer(witness)])
    for _ in range(5):
        log.append([b"b"] * 60)
        log.checkpoint()
    found = client.cosign(log, [peer(witness)], {"w.example": 77})
    assert found.sizes["w.example"] == 305 and not found.failed


def test_a_log_that_was_rolled_back_is_told_so():
    witness, disk = new_witness("w.example"), UnsafeDisk()
    log = new_log(disk)
    log.append([b"a"] * 5)
    client.cosign(log, [peer(witness)])
    old = {path: disk.read(path) for path in disk.paths()}
    log.append([b"b"] * 5)
    client.cosign(log, [peer(witness)])
    log.close()
    before = UnsafeDisk()
    for path, data in old.items():
        if "/" in path:
            before.make_folder(path.rpartition("/")[0])
        before.put(path, data)
    restored = new_log(before)
    found = client.cosign(restored, [peer(witness)])
    assert isinstance(found.rollback, RollbackError)
    assert "10" in str(found.rollback) and "5" in str(found.rollback)


def test_two_clones_of_a_log_cannot_both_go_on():
    witness = new_witness("w.example")
    one, two = new_log(), new_log()
    for log in (one, two):
        log.append([b"common"] * 5)
    assert not client.cosign(one, [peer(witness)]).failed
    assert not client.cosign(two, [peer(witness)], {"w.example": 5}).failed
    one.append([b"of one"])
    two.append([b"of two"])
    assert not client.cosign(one, [peer(witness)]).failed
    for more in ([], [b"longer"]):
        two.append(more)
        assert client.cosign(two, [peer(witness)]).rollback is not None
    assert len(witness._disk.names("guilt")) == 1


def test_a_witness_that_is_down_or_refuses_stops_nobody():
    up, stranger = (
        new_witness("up.example"),
        Witness(UnsafeDisk(), "s.example", (TestKey("s"),), {}),
    )
    log = new_log()
    log.append([b"a"])
    down = Peer(name="down", keys=up.keys, asker=HttpAsker("http://127.0.0.1:9", timeout_s=0.5))
    found = client.cosign(log, [down, peer(up), peer(stranger)])
    assert set(found.failed) == {"down", "s.example"}
    assert isinstance(found.failed["down"], WitnessError)
    assert found.failed["s.example"].status == 404
    good, _ = cosignature.check(notes.parse(found.checkpoint), up.keys)
    assert len(good) == 1


class Liar:
    """A witness that answers as it likes."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def add_checkpoint(self, body: bytes) -> Answer:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([Answer(status=200, body=b"")], SignatureError),
        ([Answer(status=200, body=b"\xff\n")], SignatureError),
        ([Answer(status=200, body=b"a" * 70_000)], WitnessError),
        ([Answer(status=409, body=b"many\n")], WitnessError),
        ([Answer(status=409, body=b"%d\n" % (1 + n % 2)) for n in range(5)], WitnessError),
        ([Answer(status=500, body=b"\xff" * 900)], WitnessError),
        ([Answer(status=422, body=b"")], RollbackError),
    ],
)
def test_nothing_of_a_lying_witness_gets_into_the_checkpoint(answers, error):
    log = new_log()
    log.append([b"a"] * 3)
    before = log.checkpoint()
    liar = Peer(name="liar", keys=new_witness("liar").keys, asker=Liar(*answers))
    found = client.cosign(log, [liar])
    assert isinstance(found.failed["liar"], error)
    assert found.checkpoint == before


def test_a_line_for_another_checkpoint_is_refused():
    log, other = new_log(), new_log()
    log.append([b"a"])
    other.append([b"b"])
    witness = new_witness("w.example")
    line = witness.add_checkpoint(
        b"old 0\n\n" + signed(checkpoints.parse(other.checkpoint())[0]).encode()
    )
    found = client.cosign(log, [peer(witness, Liar(line))])
    assert isinstance(found.failed["w.example"], SignatureError)


def test_http_answers_what_is_not_a_request():
    witness = new_witness("w.example")
    with served(witness) as url:
        link = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)

        def say(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
            link.request(method, path, body=body or None, headers=headers)
            answer = link.getresponse()
            return answer.status, answer.read()

        assert say("POST", "/add-checkpoint", b"nothing")[0] == 400
        assert say("POST", "/elsewhere", b"x")[0] == 404
        assert say("GET", "/latest/nobody")[0] == 404
        status, keys = say("GET", "/keys")
        assert status == 200 and notes.parse_vkey(keys.decode().strip()) == witness.keys[0]
        assert say("POST", "/add-checkpoint", **{"Content-Length": "99999999999"})[0] == 400
        assert say("POST", "/add-checkpoint", **{"Content-Length": "-5"})[0] == 400
        log = new_log()
        log.append([b"a"])
        client.cosign(log, [peer(witness, HttpAsker(url))])
        status, latest = say("GET", "/latest/" + ORIGIN.replace("/", "%2F"))
        assert status == 200 and checkpoints.parse(latest)[0] == log.signed


def test_concurrent_requests_over_http_leave_one_story():
    witness, log = new_witness("w.example"), new_log()
    log.append([b"a"] * 3)
    client.cosign(log, [peer(witness)])
    log.append([b"b"])
    log.checkpoint()
    with served(witness) as url:
        peers = [Peer(name=str(n), keys=witness.keys, asker=HttpAsker(url)) for n in range(20)]
        found = client.cosign(log, peers)
    assert not found.failed
    assert checkpoints.parse(witness.latest(ORIGIN))[0].size == 4


def test_who_sends_a_byte_now_and_then_is_cut_off():
    with served(new_witness("w.example"), lifetime_s=0.3) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as link:
            began = time.monotonic()
            with suppress(OSError):
                while time.monotonic() - began < 5:
                    link.sendall(b"x")
                    time.sleep(0.05)
            assert time.monotonic() - began < 3


def test_more_connections_than_places_are_closed(monkeypatch):
    monkeypatch.setattr(serve, "MOST_AT_ONCE", 2)
    with served(new_witness("w.example")) as url:  # whose lifetime is longer than these wait
        host, _, port = url.removeprefix("http://").partition(":")
        held = [socket.create_connection((host, int(port)), timeout=5) for _ in range(2)]
        try:
            with socket.create_connection((host, int(port)), timeout=5) as third:
                assert third.recv(1) == b"", "it is closed, after those that came before it"
            for link in held:
                link.sendall(b"GET /keys HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert link.recv(12) == b"HTTP/1.1 200", "who has a place is answered"
        finally:
            for link in held:
                link.close()


def test_a_witness_that_trickles_does_not_hold_the_log():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def trickle() -> None:
            link, _ = server.accept()
            with link, suppress(OSError):
                link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
                while not ended.wait(0.05):
                    link.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        log, began = new_log(), time.monotonic()
        log.append([b"a"])
        asker = HttpAsker(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.4)
        keys = new_witness("w").keys
        found = client.cosign(log, [Peer(name="w", keys=keys, asker=asker)])
        assert time.monotonic() - began < 3
        ended.set()
        thread.join()
    assert "w" in found.failed


def test_no_address_is_refused():
    for url in ("ftp://a", "witness.example", "http://", ""):
        with pytest.raises(InputError):
            HttpAsker(url)


def test_keys_have_the_type_that_cosigns():
    for each in new_witness("w.example", ML_DSA_44).keys:
        assert isinstance(each, NoteKey) and each.cosigns


class Boaster:
    """Says that it has cosigned far more than the log has."""

    def add_checkpoint(self, body: bytes) -> Answer:
        return Answer(status=CONFLICT, body=b"1000000\n", content_type=SIZE)


def ticking_witness(name: str) -> Witness:
    clock = itertools.count(NOW_S)
    return Witness(
        UnsafeDisk(), name, (TestKey(name, -19),), {ORIGIN: LOG_KEYS}, clock=lambda: next(clock)
    )


def rule_of(threshold: int, *witnesses: Witness) -> policy.Policy:
    names = [each.keys[0].name for each in witnesses]
    rows = [f"witness {n} {each.keys[0].vkey()}" for n, each in zip(names, witnesses, strict=True)]
    rows += [f"group q {threshold} {' '.join(names)}", "quorum q", ""]
    return policy.parse("\n".join(rows).encode())


def test_one_witness_that_lies_of_a_rollback_is_outvoted_by_a_quorum():
    one, two, bad = (new_witness(f"{n}.example") for n in ("one", "two", "bad"))
    log = new_log()
    log.append([b"a"] * 5)
    found = client.cosign(log, [peer(one), peer(two), peer(bad, Boaster())])
    assert found.rollback is not None and found.gave == ("one.example", "two.example")
    assert found.rolled_back(rule_of(2, one, two, bad)) is None
    assert found.rolled_back(rule_of(3, one, two, bad)) is found.rollback


def test_a_copy_that_brings_its_old_cosignatures_along_is_not_taken_for_a_quorum():
    """The copy's checkpoint has lines of both; one of them knows more, and says so."""
    one, two, disk = ticking_witness("one.example"), ticking_witness("two.example"), UnsafeDisk()
    log, rule = new_log(disk), rule_of(2, one, two)
    log.append([b"a"] * 5)
    assert client.cosign(log, [peer(one), peer(two)]).rolled_back(rule) is None
    old = {path: disk.read(path) for path in disk.paths()}
    log.append([b"b"] * 5)
    client.cosign(log, [peer(one)])
    log.close()
    copy = UnsafeDisk()
    for path, data in old.items():
        if "/" in path:
            copy.make_folder(path.rpartition("/")[0])
        copy.put(path, data)
    found = client.cosign(new_log(copy), [peer(one), peer(two)])
    assert policy.check(rule, notes.parse(found.checkpoint), logs=LOG_KEYS).by_s == NOW_S
    assert found.gave == ("two.example",)
    assert found.rolled_back(rule) is not None
