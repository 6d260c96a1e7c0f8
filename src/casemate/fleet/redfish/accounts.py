"""Accounts of machines that read by Redfish, and their sessions.

They are no people: none signs in to pages, none decides about an incident. Passwords are kept as
scrypt (RFC 7914) with a salt each, sessions as SHA-256 of a random token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from casemate.core.errors import InputError
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import REDFISH_ACCOUNTS, REDFISH_SESSIONS, REDFISH_SUBSCRIPTIONS

SELF = frozenset(("Login", "ConfigureSelf"))
PRIVILEGES: dict[str, frozenset[str]] = {
    "Administrator": SELF | {"ConfigureManager", "ConfigureUsers", "ConfigureComponents"},
    "Operator": SELF | {"ConfigureComponents"},
    "ReadOnly": SELF,
}
"""Privileges of the roles that Redfish names beforehand (DSP0266, Roles); there are no others."""
LEAST, MOST = 20, 128
"""Characters of a password (planning values)."""
MOST_ACCOUNTS, MOST_SESSIONS = 200, 64
"""Accounts in all, and sessions of one (planning values)."""
IDLE_S = 1800
"""After which a session that nobody used is over (planning value)."""
SESSION_S = 12 * 3600
"""Longest session (planning value)."""
_N, _R, _P = 1 << 14, 8, 1
_KNOWN_S = 60.0
"""For which a password that was right need not be derived again (planning value)."""
_MOST_KNOWN = 1024
_A, _S = REDFISH_ACCOUNTS, REDFISH_SESSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account. secret: of its password, as stored. session: of the request, 0 if none."""

    id: int
    name: str
    role: str
    party: str
    secret: str
    enabled: bool
    session: int = 0

    @property
    def privileges(self) -> frozenset[str]:
        """Return what its role may do; nothing for a role that there is not."""
        return PRIVILEGES.get(self.role, frozenset())


def new_secret(password: str) -> str:
    """Return what is stored of a password: salt and scrypt, hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_derived(password, salt).hex()}"


def _derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=1 << 26)


class Passwords:
    """Checks passwords, two at once at most; one that was right is known for a minute.

    So who asks by HTTP Basic costs no derivation each time, and guessing cannot take all cores.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._lock, self._deriving = threading.Lock(), threading.Semaphore(2)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._nobody = ""

    def is_known(self, secret: str | None, password: str, now_s: float) -> bool:
        """Return whether a password was right a short while ago, so that nothing is derived."""
        with self._lock:
            until_s = self._known.get(self._mark(secret, password), 0.0) if secret else 0.0
        return now_s < until_s <= now_s + _KNOWN_S

    def _mark(self, stored: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{stored}\0{password}".encode(), "sha256")

    def are_right(self, secret: str | None, password: str, now_s: float) -> bool:
        """Return whether a password is that of a stored secret; None stands for no account.

        It takes as long for none: who asks does not learn which names there are.
        """
        if len(password) > MOST:
            return False
        if secret is None and not self._nobody:
            self._nobody = new_secret(secrets.token_urlsafe(24))
        stored = secret or self._nobody
        if self.is_known(secret, password, now_s):
            return True
        salt, _, wanted = stored.partition(":")
        with self._deriving:
            found = _derived(password, bytes.fromhex(salt)).hex()
        right = hmac.compare_digest(found, wanted) and secret is not None
        if right:
            with self._lock:
                self._known[self._mark(stored, password)] = now_s + _KNOWN_S
                while len(self._known) > _MOST_KNOWN:
                    self._known.popitem(last=False)
        return right


def add(link: Connection, name: str, role: str, party: str, password: str) -> int:
    """Enter an account; return its id. RedfishError if it cannot be."""
    check_name(name)
    check_role(role)
    check_password(password)
    if by_name(link, name) is not None:
        raise RedfishError("ResourceAlreadyExists", about=("#/UserName",))
    if link.execute(select(func.count()).select_from(_A)).scalar_one() >= MOST_ACCOUNTS:
        raise RedfishError("ServiceTemporarilyUnavailable")
    row = {
        "name": name, "role": role, "party": party, "secret": new_secret(password), "enabled": True,
    }  # fmt: skip
    return int(link.execute(insert(_A).values(**row).returning(_A.c.id)).scalar_one())


def add_here(link: Connection, name: str, role: str, party: str) -> str:
    """Enter an account on the machine itself; return its password. InputError if it cannot be."""
    if not (party.isprintable() and 0 < len(party) <= 100):
        raise InputError("this is no party.", remedy="use 1 to 100 printable characters.")
    password = secrets.token_hex(24)
    try:
        add(link, name, role, party, password)
    except RedfishError as error:
        raise InputError(
            f"{error.message}", remedy=f"a new name, and a role of {', '.join(PRIVILEGES)}.",
            key=name,
        ) from None  # fmt: skip
    return password


def check_name(name: object) -> str:
    """Return a name; RedfishError unless it is 1 to 64 letters, digits and marks."""
    marks = set("-_.@")
    if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isascii():
        raise RedfishError("PropertyValueError", "UserName", about=("#/UserName",))
    if not all(each.isalnum() or each in marks for each in name):
        raise RedfishError("PropertyValueError", "UserName", about=("#/UserName",))
    return name


def check_role(role: object) -> str:
    """Return a role; RedfishError if there is none such."""
    if not isinstance(role, str) or role not in PRIVILEGES:
        raise RedfishError("PropertyValueError", "RoleId", about=("#/RoleId",))
    return role


def check_password(password: object) -> str:
    """Return a password; RedfishError if it is too short, too long or not printable."""
    plain = isinstance(password, str) and password.isascii() and password.isprintable()
    if not isinstance(password, str) or not plain or not LEAST <= len(password) <= MOST:
        raise RedfishError("PropertyValueError", "Password", about=("#/Password",))
    if len(set(password)) < 8:
        raise RedfishError("PropertyValueError", "Password", about=("#/Password",))
    return password


def by_name(link: Connection, name: str) -> Account | None:
    """Return the account of a name, None if there is none."""
    if not name.isprintable():  # a store may refuse even to look for it
        return None
    row = link.execute(select(_A).where(_A.c.name == name)).one_or_none()
    return None if row is None else Account(**row._mapping)


def by_id(link: Connection, number: int) -> Account:
    """Return an account; RedfishError if there is none."""
    row = link.execute(select(_A).where(_A.c.id == number)).one_or_none()
    if row is None:
        raise RedfishError("ResourceNotFound")
    return Account(**row._mapping)


def all_ids(link: Connection) -> list[int]:
    """Return the ids of all accounts."""
    return [int(each) for each in link.execute(select(_A.c.id).order_by(_A.c.id)).scalars()]


def change(link: Connection, number: int, values: dict[str, object]) -> None:
    """Change columns of an account. With a new password, or disabled, its sessions are over."""
    link.execute(update(_A).where(_A.c.id == number).values(**values))
    if "secret" in values or values.get("enabled") is False:
        link.execute(delete(_S).where(_S.c.account_id == number))


def remove(link: Connection, number: int) -> None:
    """Remove an account with its sessions and subscriptions."""
    link.execute(delete(_S).where(_S.c.account_id == number))
    subscriptions = REDFISH_SUBSCRIPTIONS
    link.execute(delete(subscriptions).where(subscriptions.c.account_id == number))
    link.execute(delete(_A).where(_A.c.id == number))


def begin(link: Connection, account: Account, now_s: int) -> tuple[int, str]:
    """Begin a session; return its id and token. RedfishError if the account has too many."""
    over = (_S.c.seen_s + IDLE_S <= now_s) | (_S.c.begun_s + SESSION_S <= now_s)
    link.execute(delete(_S).where(over))
    mine = select(func.count()).select_from(_S).where(_S.c.account_id == account.id)
    if link.execute(mine).scalar_one() >= MOST_SESSIONS:
        raise RedfishError("SessionLimitExceeded")
    token = secrets.token_hex(32)
    row = {"digest": _digest(token), "account_id": account.id, "begun_s": now_s, "seen_s": now_s}
    number = link.execute(insert(_S).values(**row).returning(_S.c.id)).scalar_one()
    return int(number), token


def of_session(link: Connection, token: str, now_s: int) -> tuple[Account, int] | None:
    """Return the account of a session's token and when it was last seen; None if it is over."""
    asked = (
        select(_S.c.id.label("session"), _S.c.begun_s, _S.c.seen_s, _A)
        .join_from(_S, _A, _S.c.account_id == _A.c.id)
        .where(_S.c.digest == _digest(token), _A.c.enabled)
    )
    row = link.execute(asked).one_or_none()
    if row is None or row.seen_s + IDLE_S <= now_s or row.begun_s + SESSION_S <= now_s:
        return None
    values = {key: row._mapping[key] for key in Account.__slots__}
    return Account(**values), int(row.seen_s)


def touch(link: Connection, session: int, now_s: int) -> None:
    """Note that a session is in use."""
    link.execute(update(_S).where(_S.c.id == session).values(seen_s=now_s))


def end(link: Connection, session: int) -> None:
    """End a session."""
    link.execute(delete(_S).where(_S.c.id == session))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
