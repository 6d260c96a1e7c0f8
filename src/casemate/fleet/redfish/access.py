"""Account and session services: accounts, their three roles, and sessions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from casemate.fleet.redfish import accounts, odata
from casemate.fleet.redfish.accounts import PRIVILEGES, Account
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError, extended
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.store.schema import REDFISH_ACCOUNTS, REDFISH_SESSIONS

ACCOUNTS, ROLES = f"{ROOT}/AccountService/Accounts", f"{ROOT}/AccountService/Roles"
SESSIONS = f"{ROOT}/SessionService/Sessions"
_S = REDFISH_SESSIONS.c


def account_service(redfish: Redfish, asked: Asked) -> Answer:
    """Return the account service."""
    row = odata.resource(
        "AccountService", f"{ROOT}/AccountService", "AccountService", "Accounts of machines",
        ServiceEnabled=True, Status=odata.status("Enabled", "OK"), HTTPBasicAuth="Enabled",
        MinPasswordLength=accounts.LEAST, MaxPasswordLength=accounts.MOST,
        SupportedAccountTypes=["Redfish"], LocalAccountAuth="Enabled",
        Accounts=odata.link(ACCOUNTS), Roles=odata.link(ROLES),
    )  # fmt: skip
    return Answer(row=row)


def account_index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return all accounts; who may not configure users sees the own one alone."""
    mine = "ConfigureUsers" not in asked.who.privileges
    found = [asked.who.id] if mine else accounts.all_ids(link)
    return asked.page_of("ManagerAccount", ACCOUNTS, "Accounts", found)


def account(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return an account."""
    return _account(accounts.by_id(link, asked.number("account")))


def _account(each: Account) -> Row:
    return odata.resource(
        "ManagerAccount", f"{ACCOUNTS}/{each.id}", str(each.id), f"Account {each.name}",
        UserName=each.name, RoleId=each.role, Enabled=each.enabled, Locked=False, Password=None,
        AccountTypes=["Redfish"], Links={"Role": odata.link(f"{ROLES}/{each.role}")},
        Oem={"Casemate": {
            "@odata.type": "#CasemateManagerAccount.v1_0_0.ManagerAccount", "Party": each.party,
        }},
    )  # fmt: skip


def account_add(redfish: Redfish, asked: Asked) -> Answer:
    """Enter an account of the same party as the one that asks."""
    body = asked.object()
    known = {"UserName", "Password", "RoleId", "Enabled", "AccountTypes"}
    for key in body:
        if key not in known and not key.startswith("@"):
            raise RedfishError("PropertyUnknown", key, status=400, about=(f"#/{key}",))
    for key in ("UserName", "Password", "RoleId"):
        if key not in body:
            raise RedfishError("PropertyMissing", key, about=(f"#/{key}",))
    if body.get("Enabled", True) is not True:
        raise RedfishError("PropertyValueError", "Enabled", about=("#/Enabled",))
    if body.get("AccountTypes", ["Redfish"]) != ["Redfish"]:
        raise RedfishError("PropertyValueError", "AccountTypes", about=("#/AccountTypes",))
    with redfish.store.write() as link:
        number = accounts.add(
            link, body["UserName"], body["RoleId"], asked.who.party, body["Password"]
        )
        row = _account(accounts.by_id(link, number))
    return Answer(
        row=row, status=201, headers={"Location": f"{ACCOUNTS}/{number}"}, told=f"account {number}"
    )


def account_change(redfish: Redfish, asked: Asked) -> Answer:
    """Change an account: password, role, whether it is enabled. Of its own the password alone."""
    number, body = asked.number("account"), asked.object()
    with redfish.store.write() as link:
        before = _of_party(link, number, asked)
        asked.must_match(_account(before))
        values, wrong = _changes(body, all_="ConfigureUsers" in asked.who.privileges)
        if values:
            if values.get("role", "Administrator") != "Administrator" or "enabled" in values:
                _one_stays(link, before, values)
            accounts.change(link, number, values)
        row = _account(accounts.by_id(link, number))
    if wrong:
        info = [extended("PropertyUnknown", (each,), (f"#/{each}",)) for each in wrong]
        row = {**row, "@Message.ExtendedInfo": info}
    return Answer(row=row, told=f"changed {', '.join(sorted(values))}")


def _of_party(link: Connection, number: int, asked: Asked) -> Account:
    """Return an account of the party that asks; RedfishError if it is another's.

    Else one party could read under the other's name, or end what it listens to.
    """
    found = accounts.by_id(link, number)
    if found.party != asked.who.party:
        raise RedfishError("InsufficientPrivilege")
    return found


def _changes(body: dict[str, Any], *, all_: bool) -> tuple[dict[str, object], list[str]]:
    """Return columns to change, and properties that cannot be; RedfishError if there is no right.

    What can be changed is, even if other properties cannot (DSP0266, PATCH).
    """
    values: dict[str, object] = {}
    wrong: list[str] = []
    for key, value in body.items():
        if key.startswith("@"):
            continue
        if key == "Password":
            values["secret"] = accounts.new_secret(accounts.check_password(value))
        elif key in ("RoleId", "Enabled") and not all_:
            raise RedfishError("InsufficientPrivilege", about=(f"#/{key}",))
        elif key == "RoleId":
            values["role"] = accounts.check_role(value)
        elif key == "Enabled":
            if not isinstance(value, bool):
                raise RedfishError("PropertyValueError", key, about=("#/Enabled",))
            values["enabled"] = value
        else:
            wrong.append(key)
    if wrong and not values:
        about = tuple(f"#/{each}" for each in wrong)
        raise RedfishError("PropertyUnknown", wrong[0], status=400, about=about)
    if not values:
        raise RedfishError("NoOperation")
    return values, wrong


def _one_stays(link: Connection, each: Account, values: dict[str, object]) -> None:
    """Refuse what would leave no administrator: nobody locks monitoring out from outside."""
    stays = values.get("role", each.role) == "Administrator" and values.get("enabled", each.enabled)
    if stays or each.role != "Administrator" or not each.enabled:
        return
    asked = (
        select(func.count()).select_from(REDFISH_ACCOUNTS)
        .where(REDFISH_ACCOUNTS.c.role == "Administrator", REDFISH_ACCOUNTS.c.enabled)
    )  # fmt: skip
    if link.execute(asked).scalar_one() < 2:
        raise RedfishError("AccessDenied")


def account_remove(redfish: Redfish, asked: Asked) -> Answer:
    """Remove an account."""
    number = asked.number("account")
    with redfish.store.write() as link:
        found = _of_party(link, number, asked)
        asked.must_match(_account(found))
        _one_stays(link, found, {"enabled": False})
        accounts.remove(link, number)
    return Answer(status=204, told=f"account {number}")


def role_index(redfish: Redfish, asked: Asked) -> Answer:
    """Return the roles that there are."""
    return Answer(row=asked.page_of("Role", ROLES, "Roles", sorted(PRIVILEGES)))


def role(redfish: Redfish, asked: Asked) -> Answer:
    """Return a role."""
    name = asked.path["role"]
    if name not in PRIVILEGES:
        raise RedfishError("ResourceNotFound")
    row = odata.resource(
        "Role", f"{ROLES}/{name}", name, f"Role {name}", RoleId=name, IsPredefined=True,
        AssignedPrivileges=sorted(PRIVILEGES[name]),
    )  # fmt: skip
    return Answer(row=row)


def session_service(redfish: Redfish, asked: Asked) -> Answer:
    """Return the session service."""
    row = odata.resource(
        "SessionService", f"{ROOT}/SessionService", "SessionService", "Sessions",
        ServiceEnabled=True, SessionTimeout=accounts.IDLE_S, Sessions=odata.link(SESSIONS),
        Status=odata.status("Enabled", "OK"),
    )  # fmt: skip
    return Answer(row=row)


def _visible(asked: Asked) -> Any:
    asked_ = select(REDFISH_SESSIONS, REDFISH_ACCOUNTS.c.name, REDFISH_ACCOUNTS.c.role).join_from(
        REDFISH_SESSIONS, REDFISH_ACCOUNTS, _S.account_id == REDFISH_ACCOUNTS.c.id
    )
    if "ConfigureManager" in asked.who.privileges:
        return asked_.where(REDFISH_ACCOUNTS.c.party == asked.who.party)
    return asked_.where(_S.account_id == asked.who.id)


def session_index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return sessions of one's party; who may not configure the service sees the own ones alone."""
    found = [row.id for row in link.execute(_visible(asked).order_by(_S.id))]
    return asked.page_of("Session", SESSIONS, "Sessions", found)


def session(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a session."""
    return _session(link.execute(_visible(asked).where(_S.id == asked.number("session"))).first())


def _session(row: Any) -> Row:
    if row is None:
        raise RedfishError("ResourceNotFound")
    return odata.resource(
        "Session", f"{SESSIONS}/{row.id}", str(row.id), f"Session {row.id}", UserName=row.name,
        Password=None, SessionType="Redfish", CreatedTime=odata.when(row.begun_s),
        Roles=[row.role],
    )  # fmt: skip


def session_begin(redfish: Redfish, asked: Asked) -> Answer:
    """Begin a session with the name and password of an account."""
    body = asked.object()
    name, password = body.get("UserName"), body.get("Password")
    for key, value in (("UserName", name), ("Password", password)):
        if not isinstance(value, str):
            raise RedfishError("PropertyMissing", key, about=(f"#/{key}",))
    with redfish.store.read() as link:
        found = accounts.by_name(link, str(name)[: accounts.MOST])
    usable = found if found is not None and found.enabled else None
    secret = usable.secret if usable is not None else None
    if not redfish.passwords.are_right(secret, str(password), redfish.service.clock()):
        raise RedfishError("NoValidSession")
    assert usable is not None
    with redfish.store.write() as link:
        number, token = accounts.begin(link, usable, redfish.now_s())
        asked.begins()
    row = odata.resource(
        "Session", f"{SESSIONS}/{number}", str(number), f"Session {number}",
        UserName=usable.name, Password=None, SessionType="Redfish",
        CreatedTime=odata.when(redfish.now_s()), Roles=[usable.role],
    )  # fmt: skip
    headers = {"Location": f"{SESSIONS}/{number}", "X-Auth-Token": token}
    return Answer(row=row, status=201, headers=headers, told=f"session {number} of {usable.name}")


def session_end(redfish: Redfish, asked: Asked) -> Answer:
    """End a session."""
    number = asked.number("session")
    with redfish.store.write() as link:
        _session(link.execute(_visible(asked).where(_S.id == number)).first())
        accounts.end(link, number)
    return Answer(status=204, told=f"session {number}")
