"""Conformance kit of key holders: what each backend must keep, whoever wrote it.

    from casemate.testing.keyholders import CHECKS, PARTIES, QUORUM
    for check in CHECKS.values():
        check(lambda: MyHolder(quorum=QUORUM))     # AssertionError says what is wrong

Each check makes holders of its own from the factory, with QUORUM, and closes them. It sees a holder
from outside alone: that no key is left in memory or in a store is for tests of each backend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ed25519

from casemate.attest import claims as c
from casemate.attest.approval import Statement, build
from casemate.attest.keys.approval import Approver, Quorum
from casemate.attest.keys.protocol import (
    MESSAGE_MOST,
    CustodyError,
    HolderState,
    KeyHolder,
    KeysGoneError,
    SealedError,
)
from casemate.core import cbor
from casemate.core.errors import SignatureError
from casemate.core.private_keys import SEED_BYTES, from_seed
from casemate.core.suites import ED25519, ML_DSA_65, ML_DSA_87, PublicKey, Signer, verify

ERASED_MOST_S = 1e-3
"""The issue's bound from verdict to keys gone; the kit asks it of the better of TRIES."""
TRIES = 3
Make = Callable[[], KeyHolder]


@dataclass(frozen=True, slots=True)
class _Signer:
    public: PublicKey
    key: ed25519.Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def signer(number: int) -> _Signer:
    """Return a party's signer, the same for the same number."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return _Signer(PublicKey(ED25519, key.public_key().public_bytes_raw()), key)


PARTIES = {"host": signer(1), "inspector": signer(2), "manufacturer": signer(3)}
QUORUM = Quorum(
    parties=tuple(Approver(role=role, keys=(each.public,)) for role, each in PARTIES.items()),
    least=2,
    roles=("inspector",),
)


def approve(subject: bytes, challenge: bytes, signers: Sequence[Signer]) -> bytes:
    """Return an approval to unseal the holder whose last key has the id `subject`."""
    said = Statement(
        enclosure="enclosure", serial="1", purpose="unseal", challenge=challenge, subject=subject
    )
    return build(said, signers)


def statement(kind: str, state: str, note: str = "") -> bytes:
    """Return a Sig_structure over the claims that a holder looks at."""
    claims = cbor.encode({c.KIND: kind, c.STATE: state, c.ENCLOSURE: note or "enclosure"})
    return cbor.encode(["Signature", cbor.encode({16: "t"}), b"", b"", claims])


LAST = statement("last", "TAMPERED")
FRAME = statement("payload", "ARMED")
SAYS_SO = statement("state", "UNKNOWN")
CHECKPOINT = b"example.org/enclosure\n7\n" + b"A" * 43 + b"=\n"
NOT_WHEN_SEALED = (
    FRAME,
    statement("state", "ARMED"),
    statement("heartbeats", "MAINTENANCE"),
    statement("payload", "UNKNOWN"),
    b"anything",
    LAST,
    CHECKPOINT + b"more",
)


def check_signatures(make: Make) -> None:
    """Signatures verify under the announced keys, one an algorithm, and refuse odd messages."""
    with _held(make) as holder:
        keys, last = holder.public(), holder.last_public()
        assert keys and len(keys) == len(last), "as many last keys as evidence keys"
        assert not set(keys) & set(last), "the last word has keys of its own"
        assert keys == holder.public(), "public keys stay the same"
        for message in (b"x", FRAME, bytes(MESSAGE_MOST)):
            _verify(keys, [message] * len(keys), holder.sign(message))
        each = [b"for key %d" % i for i in range(len(keys))]
        _verify(keys, each, holder.sign(each))
        assert _refuses(lambda: holder.sign([b"x"] * (len(keys) + 1)), CustodyError)
        for bad in (b"", bytes(MESSAGE_MOST + 1)):
            assert _refuses(partial(holder.sign, bad), CustodyError), len(bad)
        _verify(keys, [b"y"] * len(keys), holder.sign(b"y"))


def check_keys_are_fresh(make: Make) -> None:
    """No key is that of a zero seed, and no two holders have a last word in common."""
    with _held(make) as one:
        for keys in (one.public(), one.last_public()):
            assert not set(keys) & set(_known_keys()), "a key that everybody can make"


def check_sealing(make: Make) -> None:
    """Sealed keys sign what says so, and nothing else, until a quorum unseals them."""
    with _held(make) as holder:
        keys = holder.public()
        challenge = holder.seal()
        assert _state(holder) == "sealed"
        assert holder.seal() == challenge, "sealing twice keeps the challenge"
        for message in NOT_WHEN_SEALED:
            assert _refuses(partial(holder.sign, message), SealedError), message
        for message in (SAYS_SO, statement("heartbeats", "UNKNOWN"), CHECKPOINT):
            _verify(keys, [message] * len(keys), holder.sign(message))
        subject = keys[-1].kid
        for bad in _bad_approvals(subject, challenge):
            assert _refuses(partial(holder.unseal, bad), CustodyError), "a wrong approval"
            assert _state(holder) == "sealed"
        good = approve(subject, challenge, [PARTIES["host"], PARTIES["inspector"]])
        holder.unseal(good)
        assert _state(holder) == "ready"
        _verify(keys, [FRAME] * len(keys), holder.sign(FRAME))
        assert holder.public() == keys, "unsealing brings the same keys back"
        assert holder.seal() != challenge, "each sealing has its own challenge"
        assert _refuses(lambda: holder.unseal(good), CustodyError), "an approval used twice"


def check_zeroise(make: Make) -> None:
    """After zeroise nothing is signed, by no key, sealed or not; a second call is harmless."""
    for sealed in (False, True):
        with _held(make) as holder:
            if sealed:
                holder.seal()
            erasure = holder.zeroise()
            assert erasure.complete and erasure.unusable, erasure
            assert 0.0 <= erasure.unusable_s <= erasure.verified_s, erasure
            assert holder.state is HolderState.ERASED
            for message in (FRAME, SAYS_SO, CHECKPOINT, b"x"):
                assert _refuses(partial(holder.sign, message), KeysGoneError), message
            assert _refuses(holder.seal, KeysGoneError)
            assert _refuses(lambda: holder.unseal(b""), KeysGoneError)
            again = holder.zeroise()
            assert again.complete and not again.overwritten and not again.copied, again
            assert _refuses(lambda: holder.sign(b"x"), KeysGoneError)


def check_last_word(make: Make) -> None:
    """The last word works once, before or after zeroise, for what says so alone."""
    for erase_first in (False, True):
        with _held(make) as holder:
            keys = holder.last_public()
            if erase_first:
                holder.zeroise()
            for bad in (b"x", FRAME, statement("last", "ARMED"), CHECKPOINT):
                assert _refuses(partial(holder.last_word, bad), CustodyError), bad
            _verify(keys, [LAST] * len(keys), holder.last_word(LAST))
            for _ in range(2):
                assert _refuses(lambda: holder.last_word(LAST), KeysGoneError), "twice"


def check_no_last_word_by_evidence_keys(make: Make) -> None:
    """Evidence keys sign no last word."""
    with _held(make) as holder:
        assert _refuses(lambda: holder.sign(LAST), CustodyError)


def check_close(make: Make) -> None:
    """A closed holder does nothing, and says so; closing and zeroising it again are harmless."""
    holder = make()
    holder.close()
    holder.close()
    assert holder.state is HolderState.CLOSED
    for act in (lambda: holder.sign(b"x"), holder.seal, lambda: holder.last_word(LAST)):
        assert _refuses(act, CustodyError)
    holder.zeroise()
    assert holder.state is HolderState.CLOSED


def check_quick(make: Make) -> None:
    """Keys at rest are overwritten and read back within ERASED_MOST_S, at the best of TRIES."""
    took = []
    for _ in range(TRIES):
        with _held(make) as holder:
            erasure = holder.zeroise()
            if erasure.overwritten and erasure.copied:
                took.append(erasure.overwritten_s)
    assert took, "never overwritten, only killed"
    assert min(took) <= ERASED_MOST_S, f"{min(took) * 1e3:.2f} ms"


CHECKS: dict[str, Callable[[Make], None]] = {
    each.__name__.removeprefix("check_"): each
    for each in (
        check_signatures,
        check_keys_are_fresh,
        check_sealing,
        check_zeroise,
        check_last_word,
        check_no_last_word_by_evidence_keys,
        check_close,
        check_quick,
    )
}


@contextmanager
def _held(make: Make) -> Iterator[KeyHolder]:
    holder = make()
    try:
        assert isinstance(holder, KeyHolder)
        assert holder.state is HolderState.READY
        yield holder
    except CustodyError as error:
        raise AssertionError(f"it refuses what it promises: {error.message}") from error
    finally:
        holder.close()


def _state(holder: KeyHolder) -> str:
    return holder.state.value


def _verify(
    keys: Sequence[PublicKey], messages: Sequence[bytes], signatures: Sequence[bytes]
) -> None:
    assert len(signatures) == len(keys) == len(messages)
    for key, message, signature in zip(keys, messages, signatures, strict=True):
        try:
            verify(key, message, signature)
        except SignatureError as error:
            raise AssertionError(f"{key.name}: {error.message}") from None


def _refuses(act: Callable[[], object], error: type[CustodyError]) -> bool:
    try:
        act()
    except error:
        return True
    return False


def _bad_approvals(subject: bytes, challenge: bytes) -> Iterator[bytes]:
    host, inspector = PARTIES["host"], PARTIES["inspector"]
    yield b""
    yield approve(subject, challenge, [inspector])
    yield approve(subject, challenge, [host, PARTIES["manufacturer"]])
    yield approve(subject, challenge, [inspector, signer(9)])
    yield approve(subject, bytes(32), [host, inspector])
    yield approve(bytes(16), challenge, [host, inspector])
    good = approve(subject, challenge, [host, inspector])
    yield good[:-1] + bytes([good[-1] ^ 1])
    yield good + b"\x00"


def _known_keys() -> Iterator[PublicKey]:
    for alg in (ED25519, ML_DSA_65, ML_DSA_87):
        yield PublicKey(alg, from_seed(alg, bytes(SEED_BYTES)).public_key().public_bytes_raw())
