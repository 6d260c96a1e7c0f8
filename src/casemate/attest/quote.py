"""A TPM's quote, taken apart and checked in full from its bytes. Pure.

`tpm2_checkquote` 5.4 takes a quote with its magic zeroed (CVE-2024-29038): then any key that signs
anything makes quotes. Here each field has to be what it should be: who signed (the name of a
restricted key, made in this TPM), that the TPM made the structure (magic, type), what for (extra
data), in which state (selection and digest) and when (reset and restart counters, clock).

Layouts: TPM 2.0 Library, part 2 (TPMS_ATTEST 10.12.12, TPMT_PUBLIC 12.2.4, TPMT_SIGNATURE 11.3.4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from casemate.attest.claims import Boot
from casemate.attest.reference import Tpm
from casemate.attest.token import Token, unquoted
from casemate.core import cbor
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import PublicKey, Suite

MAGIC, ATTEST_QUOTE = 0xFF544347, 0x8018
_ECC, _NULL, _ECDSA, _SHA256, _SHA384 = 0x0023, 0x0010, 0x0018, 0x000B, 0x000C
_CURVES = {0x0003: 32, 0x0004: 48}
_HASHES = {_SHA256: "sha256", _SHA384: "sha384"}
ENDORSEMENT = 0x4000000B
"""Handle of the hierarchy whose keys quote the true counters; others' are masked (part 1, 36.2)."""
_PCRS = 24
PCR_SOFTWARE, PCR_ANCHOR = 11, 12
"""Not resettable without a reset of the TPM. 11 is where Linux boot stubs measure; a planning value
for hardware that is not chosen yet."""
_DOMAIN = "casemate quote 1"

_FIXED_TPM, _FIXED_PARENT, _ORIGIN = 1 << 1, 1 << 4, 1 << 5
_RESTRICTED, _DECRYPT, _SIGN = 1 << 16, 1 << 17, 1 << 18
_MUST = _FIXED_TPM | _FIXED_PARENT | _ORIGIN | _RESTRICTED | _SIGN
_MUST_NOT = _DECRYPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When the TPM quoted. milliseconds: of its life. resets: power cycles. restarts: since the
    last of them. safe: whether milliseconds cannot have been said before, after a power cut.
    """

    milliseconds: int
    resets: int
    restarts: int
    safe: bool

    def follows(self, before: Clock) -> bool:
        """Return whether this is the same start of the TPM as `before`, or the next one."""
        same = (self.resets, self.restarts) == (before.resets, before.restarts)
        return same or (self.resets, self.restarts) == (before.resets + 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What a quote says. selected: PCR numbers of the SHA-256 bank. signer: qualified name."""

    signer: bytes
    extra: bytes
    clock: Clock
    firmware: int
    selected: tuple[int, ...]
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a quote has to say: reference values, and what the log knows.

    key: public area of the attestation key (TPMT_PUBLIC). pcrs: number to value (32 bytes), all
    that are quoted. extra: see `extra_data`. since: clock of the latest quote in the witnessed log,
    None if there is none. same_start: no reset or restart may lie between. firmware: None for any.
    """

    key: bytes
    pcrs: Mapping[int, bytes]
    extra: bytes
    since: Clock | None = None
    same_start: bool = False
    firmware: int | None = None


def after_extend(digest: bytes) -> bytes:
    """Return the value of a PCR of zeros that a digest (32 bytes) was extended into."""
    return hashlib.sha256(bytes(32) + digest).digest()


def measured(digest: bytes) -> bytes:
    """Return what is extended for a digest of any suite: itself, or SHA-256 of a longer one."""
    return digest if len(digest) == 32 else hashlib.sha256(digest).digest()


def key_name(area: bytes) -> bytes:
    """Return the name of a key with a SHA-256 name, from its public area (TPMT_PUBLIC)."""
    return area[2:4] + hashlib.sha256(area).digest()


def extra_data(evidence: bytes, keys: Sequence[PublicKey], nonce: bytes = b"") -> bytes:
    """Return what the TPM is given to sign: a digest of evidence, evidence keys and nonce.

    The ML-DSA key among them is thereby vouched for by a TPM that knows no ML-DSA.
    """
    named = [_DOMAIN, evidence, [key.as_cose() for key in keys], nonce]
    return hashlib.sha256(cbor.encode(named)).digest()


def read_attest(data: bytes) -> Attested:
    """Return what the bytes of a TPMS_ATTEST say; FormatError unless they are a quote, whole."""
    at = _Bytes(data)
    if at.number(4) != MAGIC:
        _malformed("its magic is not that of a structure made by a TPM")
    if at.number(2) != ATTEST_QUOTE:
        _malformed("it is of another type")
    signer, extra = at.sized(), at.sized()
    clock_ms, resets, restarts, safe = at.number(8), at.number(4), at.number(4), at.number(1)
    if safe > 1:
        _malformed("its flag is neither 0 nor 1")
    firmware = at.number(8)
    if at.number(4) != 1 or at.number(2) != _SHA256:
        _malformed("it selects other than PCRs of the SHA-256 bank alone")
    mask = int.from_bytes(at.take(at.number(1)), "little")
    if mask >> _PCRS:
        _malformed(f"it selects PCRs beyond {_PCRS - 1}")
    digest = at.sized()
    at.end()
    return Attested(
        signer=signer,
        extra=extra,
        clock=Clock(milliseconds=clock_ms, resets=resets, restarts=restarts, safe=bool(safe)),
        firmware=firmware,
        selected=tuple(i for i in range(_PCRS) if mask >> i & 1),
        digest=digest,
    )


def check_quote(attest: bytes, signature: bytes, expected: Expected) -> Attested:
    """Check a quote in full; return what it says.

    FormatError if something is malformed, SignatureError if anything is not as expected.
    """
    key = _key(expected.key)
    _check_signature(attest, signature, key)
    said = read_attest(attest)
    if said.signer != key.qualified:
        _refuse("another key than the attestation key of the endorsement hierarchy signed it")
    if not expected.extra or said.extra != expected.extra:
        _refuse("it was made for other evidence, keys or nonce")
    if not expected.pcrs or said.selected != tuple(sorted(expected.pcrs)):
        _refuse(f"it covers PCRs {said.selected}, not {tuple(sorted(expected.pcrs))}")
    values = b"".join(expected.pcrs[i] for i in sorted(expected.pcrs))
    if said.digest != hashlib.new(key.hash, values).digest():
        _refuse("the measured software or anchor is another")
    if expected.firmware is not None and said.firmware != expected.firmware:
        _refuse("the TPM runs another firmware")
    if expected.since is not None:
        _check_clock(said.clock, expected.since, same_start=expected.same_start)
    elif expected.same_start:
        _refuse("no earlier quote of this start is known")
    return said


def check_start(said: Token, tpm: Tpm, suite: Suite, anchor: bytes) -> Clock:
    """Check a boot token's quote by the TPM that the parties enrolled; return the TPM's clock.

    Software, evidence keys and nonce are those that the token names; anchor: digest of the one
    that the keys were made for. What the machine's boot measured is as the parties enrolled it, in
    exactly these registers. FormatError, SignatureError. Clocks of two starts: `older`.
    """
    body = said.body
    if not isinstance(body, Boot) or body.quote is None:
        _malformed("there is none")
    values = {PCR_SOFTWARE: said.software, PCR_ANCHOR: anchor}
    boot = {each.number: each.digest for each in tpm.boot}
    pcrs = {number: after_extend(measured(each)) for number, each in values.items()}
    expected = Expected(
        key=tpm.attestation,
        pcrs={**boot, **pcrs},
        extra=extra_data(suite.digest(unquoted(said)), body.keys, said.nonce),
    )
    return check_quote(body.quote.attest, body.quote.signature, expected).clock


def older(now: Clock, since: Clock) -> str:
    """Return why a TPM's clock lies before that of an earlier quote; "" if it does not."""
    starts, before = (now.resets, now.restarts), (since.resets, since.restarts)
    if starts < before:
        return "its reset or restart counter lies before the log's: an older state was restored"
    if starts == before and now.milliseconds < since.milliseconds:
        return "its clock lies before the log's: an older state was restored"
    return ""


def _check_clock(now: Clock, since: Clock, *, same_start: bool) -> None:
    if why := older(now, since):
        _refuse(why)
    starts, before = (now.resets, now.restarts), (since.resets, since.restarts)
    if same_start and starts != before:
        _refuse("the TPM was reset or restarted since the enclosure's last start")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    curve: int
    hash: str
    point: tuple[int, int]
    qualified: bytes


def _key(area: bytes) -> _Key:
    at = _Bytes(area)
    if at.number(2) != _ECC or at.number(2) != _SHA256:
        _malformed("the attestation key is no elliptic curve key with a SHA-256 name")
    attributes = at.number(4)
    if attributes & _MUST != _MUST or attributes & _MUST_NOT:
        _refuse("the attestation key is not restricted to signing in its TPM")
    at.sized()
    if at.number(2) != _NULL or at.number(2) != _ECDSA:
        _malformed("the attestation key's scheme is not ECDSA")
    hashed, curve = _HASHES.get(at.number(2)), at.number(2)
    if hashed is None or curve not in _CURVES or at.number(2) != _NULL:
        _malformed("the attestation key's hash or curve is not known")
    x, y = at.sized(), at.sized()
    at.end()
    name = ENDORSEMENT.to_bytes(4, "big") + key_name(area)
    qualified = area[2:4] + hashlib.sha256(name).digest()
    point = (int.from_bytes(x, "big"), int.from_bytes(y, "big"))
    return _Key(curve=curve, hash=hashed, point=point, qualified=qualified)


def _check_signature(attest: bytes, signature: bytes, key: _Key) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    at = _Bytes(signature)
    if at.number(2) != _ECDSA or _HASHES.get(at.number(2)) != key.hash:
        _refuse("its signature is of another algorithm than the attestation key's")
    r, s = at.sized(), at.sized()
    at.end()
    if max(len(r), len(s)) > _CURVES[key.curve]:
        _malformed("its signature is too long")
    curve = ec.SECP256R1() if key.curve == 0x0003 else ec.SECP384R1()
    digest = hashes.SHA256() if key.hash == "sha256" else hashes.SHA384()
    whole = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    try:
        public = ec.EllipticCurvePublicNumbers(*key.point, curve).public_key()
        public.verify(whole, attest, ec.ECDSA(digest))
    except (InvalidSignature, ValueError):
        _refuse("its signature does not fit")


class _Bytes:
    """Big-endian fields, one after the other; FormatError past the end or short of it."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        if type(data) is not bytes:
            _malformed("it is not bytes")
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            _malformed("it ends too early")
        self._at += count
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        return self.take(self.number(2))

    def end(self) -> None:
        if self._at != len(self._data):
            _malformed("bytes follow its end")


def _malformed(why: str) -> NoReturn:
    raise FormatError(
        f"a TPM's quote or key is malformed: {why}.", remedy="obtain it again from its source."
    )


def _refuse(why: str) -> NoReturn:
    raise SignatureError(
        f"a TPM's quote is refused: {why}.",
        remedy="treat the enclosure's software as unknown; compare with the reference values.",
    )
