"""A PKCS#11 token's objects, over python-pkcs11 (its import waits until a token is used).

Three objects by one label: an Ed25519 key pair that never leaves the token; an AES-256 key that
never leaves it; and the ML-DSA seed under AES-256-GCM by that key, as a data object. Destroying the
AES key makes the seed unreadable wherever copies of the object lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from casemate.attest.keys.protocol import CustodyError

_ED25519 = bytes.fromhex("06032b6570")
"""The curve as an object identifier (RFC 8410), which PKCS#11 3.0 takes as EC_PARAMS."""
_NONCE_BYTES, _TAG_BITS = 12, 128
_POINT = b"\x04\x20"
"""DER head of the public point, an octet string of 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlan:
    """Which token. library: path of the PKCS#11 module. env: what it needs, such as
    SOFTHSM2_CONF. prefix: of the label of our objects.
    """

    library: str
    token: str
    pin: str = field(repr=False)
    prefix: str = "casemate"
    env: tuple[tuple[str, str], ...] = ()

    def as_plain(self) -> list[str]:
        """Return the plan for a frame; `env` goes by the environment."""
        return [self.library, self.token, self.pin, self.prefix]

    @staticmethod
    def from_plain(value: object) -> TokenPlan:
        """Return the plan of `as_plain`."""
        match value:
            case [str(library), str(token), str(pin), str(prefix)]:
                return TokenPlan(library=library, token=token, pin=pin, prefix=prefix)
        raise CustodyError("no plan of a token came.", remedy="use one version on both sides.")


class Token:
    """An open session. Foreign errors come out as CustodyError, see `told`.

    logged_in: this process has a session with the token already, and a login is the process's.
    """

    def __init__(self, plan: TokenPlan, *, logged_in: bool = False) -> None:
        try:
            self._p11 = import_module("pkcs11")
        except ImportError:
            raise CustodyError(
                "the library for PKCS#11 is missing.", remedy="install python-pkcs11."
            ) from None
        self._label = plan.prefix
        with self.told("open"):
            token = self._p11.lib(plan.library).get_token(token_label=plan.token)
            self._session = token.open(rw=True, user_pin=None if logged_in else plan.pin)

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turn errors of the library into ours."""
        try:
            yield
        except (self._p11.PKCS11Error, RuntimeError, OSError) as error:
            raise CustodyError(
                f"the token refuses to {what}: {str(error) or type(error).__name__}.",
                remedy="see that the token, its PIN and its keys are those of this enclosure.",
            ) from None

    def create(self, seed: bytes, *, classical: bool) -> None:
        """Make the keys and wrap `seed`; CustodyError if some are there."""
        p11 = self._p11
        if self._all():
            raise CustodyError(
                "the token holds keys of this enclosure already.", remedy="zeroise them first."
            )
        fixed = {p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False}
        nonce = os.urandom(_NONCE_BYTES)
        with self.told("make keys"):
            if classical:
                curve = self._session.create_domain_parameters(
                    p11.KeyType.EC_EDWARDS, {p11.Attribute.EC_PARAMS: _ED25519}, local=True
                )
                curve.generate_keypair(
                    mechanism=p11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                    store=True,
                    label=self._label,
                    private_template=fixed,
                )
            key = self._session.generate_key(
                p11.KeyType.AES, 256, store=True, label=self._label, template=fixed
            )
            wrapped = key.encrypt(
                seed, mechanism=p11.Mechanism.AES_GCM, mechanism_param=self._gcm(nonce)
            )
            self._session.create_object(
                {
                    p11.Attribute.CLASS: p11.ObjectClass.DATA,
                    p11.Attribute.TOKEN: True,
                    p11.Attribute.PRIVATE: True,
                    p11.Attribute.LABEL: self._label,
                    p11.Attribute.VALUE: nonce + wrapped,
                }
            )

    def seed(self) -> bytes:
        """Return the ML-DSA seed, unwrapped; CustodyError if it or its key is gone."""
        p11 = self._p11
        key = self._one(p11.ObjectClass.SECRET_KEY)
        whole = self._one(p11.ObjectClass.DATA)[p11.Attribute.VALUE]
        nonce, wrapped = whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]
        with self.told("unwrap the seed"):
            return bytes(
                key.decrypt(
                    wrapped, mechanism=p11.Mechanism.AES_GCM, mechanism_param=self._gcm(nonce)
                )
            )

    def public(self) -> bytes:
        """Return the raw Ed25519 public key."""
        p11 = self._p11
        point = bytes(self._one(p11.ObjectClass.PUBLIC_KEY)[p11.Attribute.EC_POINT])
        if point[:2] != _POINT or len(point) != 34:
            raise CustodyError("the token's key is not Ed25519.", remedy="use another token.")
        return point[2:]

    def signer(self) -> Any:
        """Return the handle of the Ed25519 private key, for `sign`."""
        return self._one(self._p11.ObjectClass.PRIVATE_KEY)

    def sign(self, key: Any, message: bytes) -> bytes:
        """Return an Ed25519 signature, made in the token."""
        with self.told("sign"):
            return bytes(key.sign(message, mechanism=self._p11.Mechanism.EDDSA))

    def decisive(self) -> list[Any]:
        """Return handles of the keys without which all else is of no use, looked up beforehand.

        The Ed25519 private key, and the AES key without which the wrapped seed cannot be read.
        """
        kinds = self._p11.ObjectClass.PRIVATE_KEY, self._p11.ObjectClass.SECRET_KEY
        return [each for kind in kinds for each in self._all(kind)]

    def destroy_each(self, handles: list[Any]) -> bool:
        """Destroy these objects; return whether the token answered each time that it is done."""
        try:
            for each in handles:
                each.destroy()
        except self._p11.PKCS11Error:
            return False
        return True

    def destroy(self) -> bool:
        """Destroy all objects, private ones first; return whether the token shows none."""
        order = ["PRIVATE_KEY", "SECRET_KEY", "DATA", "PUBLIC_KEY"]
        try:
            for kind in order:
                for each in self._all(getattr(self._p11.ObjectClass, kind)):
                    each.destroy()
            return not self._all()
        except (self._p11.PKCS11Error, CustodyError):
            return False

    def close(self) -> None:
        """End the session."""
        with self.told("close"):
            self._session.close()

    def _gcm(self, nonce: bytes) -> Any:
        return self._p11.GCMParams(nonce, self._label.encode(), _TAG_BITS)

    def _all(self, kind: Any = None) -> list[Any]:
        wanted = {self._p11.Attribute.LABEL: self._label}
        if kind is not None:
            wanted[self._p11.Attribute.CLASS] = kind
        with self.told("list objects"):
            return list(self._session.get_objects(wanted))

    def _one(self, kind: Any) -> Any:
        found = self._all(kind)
        if len(found) != 1:
            raise CustodyError(
                f"the token holds {len(found)} objects of kind {kind.name}, not 1.",
                remedy="if keys were erased, commission anew; else see who else uses the token.",
            )
        return found[0]
