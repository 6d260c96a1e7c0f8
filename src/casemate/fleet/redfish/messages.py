"""Messages: our own registry, and those of DMTF's Base registry that answers here carry.

An alarm's text says "chassis intrusion", and none of the words that infrastructure controllers
take for an alarm's end; only `ChassisIntrusionCleared` does, which is told once nothing stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.fleet.errors import FleetError
from casemate.fleet.redfish import odata
from casemate.fleet.redfish.odata import Row

PREFIX, VERSION = "Casemate", "1.0.0"
BASE = "Base.1.18"
"""The registry of DMTF that names here are of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. text: with %1, %2 … for arguments. severity: OK, Warning or Critical."""

    text: str
    severity: str
    resolution: str
    args: int = 0


OWN = {
    "ChassisIntrusionTampering": Message(
        text="chassis intrusion alarm: the evidence says that chassis %1 was tampered with",
        severity="Critical", args=1,
        resolution="Leave it as it is; have it inspected by both parties; see the incident.",
    ),
    "ChassisIntrusionUnknown": Message(
        text="chassis intrusion alarm: nothing proves how chassis %1 stands; it is UNKNOWN",
        severity="Critical", args=1,
        resolution="See that its controller and witnesses can be reached; see the incident.",
    ),
    "ChassisIntrusionStale": Message(
        text="chassis intrusion alarm: evidence of chassis %1 is stale; it is UNKNOWN",
        severity="Critical", args=1,
        resolution="See that its controller and witnesses can be reached; see the incident.",
    ),
    "ChassisIntrusionOpened": Message(
        text="chassis intrusion: chassis %1 is open for maintenance under a permit",
        severity="Warning", args=1,
        resolution="Compare with the work that was announced.",
    ),
    "ChassisIntrusionFinding": Message(
        text="%2 (chassis %1, incident %3)", severity="Critical", args=3,
        resolution="See the incident; two persons of two parties dispose of it.",
    ),
    "ChassisIntrusionWarning": Message(
        text="%2 (chassis %1, incident %3)", severity="Warning", args=3,
        resolution="See the incident; a person who is not the host's disposes of it.",
    ),
    "ChassisNotInUse": Message(
        text="chassis %1 is not armed: %2", severity="Warning", args=2,
        resolution="Nothing relies on it until it is armed.",
    ),
    "ChassisArmed": Message(
        text="chassis %1 is armed; it is not as before: a chassis intrusion stands until it is "
        "re-armed and its incident is disposed of",
        severity="Warning", args=1,
        resolution="Dispose of the incident; re-arm the sensor once a signed re-seal is logged.",
    ),
    "ChassisIntrusionCleared": Message(
        text="chassis intrusion cleared: chassis %1 is armed, its sensor says Normal and no "
        "incident is open",
        severity="OK", args=1, resolution="None.",
    ),
    "IntrusionSensorReArmed": Message(
        text="the intrusion sensor of chassis %1 was re-armed by account %2 after a signed re-seal",
        severity="OK", args=2, resolution="None.",
    ),
    "ReArmNeedsReSeal": Message(
        text="The intrusion sensor of chassis %1 stays as it is: %2.",
        severity="Critical", args=2,
        resolution="Have work ended under a permit of both parties, or the enclosure commissioned "
        "anew; bring that evidence; have its incidents disposed of; then write again.",
    ),
    "DestinationNotAllowed": Message(
        text="Events are not sent to %1: %2.", severity="Warning", args=2,
        resolution="Who runs this service allows networks by `casemate fleet receivers`.",
    ),
    "TestEvent": Message(
        text="a test event that account %1 asked for", severity="OK", args=1, resolution="None.",
    ),
}  # fmt: skip
"""Our messages, by key."""
DMTF = {
    "AccessDenied": ("While accessing the resource, access was denied.", 403),
    "ActionNotSupported": ("The action %1 is not supported by the resource.", 400),
    "GeneralError": ("A general error has occurred.", 500),
    "InsufficientPrivilege": ("The account has not the privileges for this.", 403),
    "InsufficientStorage": ("The answer would be longer than the service gives at once.", 507),
    "InternalError": ("The request failed by a fault of the service.", 500),
    "MalformedJSON": ("The body is no valid JSON.", 400),
    "NoOperation": ("There is nothing to change in the request.", 400),
    "NoValidSession": ("No valid session or account came with the request.", 401),
    "OperationNotAllowed": ("The HTTP method is not allowed on this resource.", 405),
    "PasswordChangeRequired": ("The password has to be changed.", 403),
    "PreconditionFailed": ("The ETag is not that of the resource.", 412),
    "PropertyMissing": ("The property %1 is required.", 400),
    "PropertyNotWritable": ("The property %1 cannot be written.", 400),
    "PropertyUnknown": ("The property %1 is unknown.", 400),
    "PropertyValueError": ("The value of property %1 cannot be taken.", 400),
    "QueryCombinationInvalid": ("These query parameters cannot be used together.", 400),
    "QueryNotSupported": ("Querying in this way is not supported.", 501),
    "QueryNotSupportedOnOperation": ("This operation takes no query parameters.", 400),
    "QueryNotSupportedOnResource": ("This resource does not take that query parameter.", 400),
    "QueryParameterOutOfRange": ("The value %1 of query parameter %2 is outside %3.", 400),
    "QueryParameterValueError": ("The value of query parameter %1 cannot be taken.", 400),
    "QueryParameterValueFormatError": (
        "In %1, of query parameter %2, something has not the form that it needs.",
        400,
    ),
    "QueryParameterValueTypeError": (
        "The value %1, in query parameter %2, is none that it is compared with.",
        400,
    ),
    "RateLimitExceeded": ("There were too many requests.", 429),
    "ResourceAlreadyExists": ("There is one of that name already.", 409),
    "ResourceNotFound": ("There is no resource at this address.", 404),
    "ServiceTemporarilyUnavailable": ("The service cannot do it now.", 503),
    "SessionLimitExceeded": ("There are too many sessions.", 503),
    "EventSubscriptionLimitExceeded": ("There are too many subscriptions.", 503),
    "Success": ("It was done.", 200),
}
"""Keys of DMTF's Base registry with texts of our own, and the status that each comes with."""


class RedfishError(FleetError):
    """An answer that is an error. key: of `DMTF` or `OWN`. about: properties, as JSON pointers.

    more: further messages, each a key with its arguments.
    """

    def __init__(
        self, key: str, *args: str, status: int = 0, about: tuple[str, ...] = (), allow: str = "",
        more: tuple[tuple[str, tuple[str, ...]], ...] = (),
    ) -> None:  # fmt: skip
        text = rendered(key, args)
        super().__init__(text, remedy=OWN[key].resolution if key in OWN else "see the message.")
        self.key, self.given, self.about, self.allow = key, args, about, allow
        self.more = more
        self.status = status or (DMTF[key][1] if key in DMTF else 409)


def rendered(key: str, args: tuple[str, ...] | list[str]) -> str:
    """Return a message's text with its arguments. KeyError if there is no such message."""
    text = OWN[key].text if key in OWN else DMTF[key][0]
    for number, each in enumerate(args, 1):
        text = text.replace(f"%{number}", each)
    return text


def message_id(key: str) -> str:
    """Return the id by which a message is known: registry, version, key."""
    return f"{PREFIX}.{VERSION[:3]}.{key}" if key in OWN else f"{BASE}.{key}"


def extended(key: str, args: tuple[str, ...], about: tuple[str, ...] = ()) -> Row:
    """Return an entry of @Message.ExtendedInfo."""
    severity = OWN[key].severity if key in OWN else "OK" if key == "Success" else "Warning"
    row: Row = {
        "@odata.type": f"#Message.{odata.VERSIONS['Message']}.Message",
        "MessageId": message_id(key), "Message": rendered(key, args), "MessageArgs": list(args),
        "MessageSeverity": severity,
        "Resolution": OWN[key].resolution if key in OWN else "See the message.",
    }  # fmt: skip
    if about:
        row["RelatedProperties"] = list(about)
    return row


def error_body(error: RedfishError) -> Row:
    """Return the body of an error (DSP0266, Error responses)."""
    return {
        "error": {
            "code": message_id(error.key),
            "message": error.message,
            "@Message.ExtendedInfo": info(error),
        }
    }


def info(error: RedfishError) -> list[Row]:
    """Return the messages of an error."""
    others = [extended(key, args) for key, args in error.more]
    return [extended(error.key, error.given, error.about), *others]


def registry() -> Row:
    """Return our message registry (DSP0266, Message registry)."""
    shown = {
        key: {
            "Description": each.resolution, "LongDescription": each.text, "Message": each.text,
            "MessageSeverity": each.severity, "NumberOfArgs": each.args,
            "Resolution": each.resolution,
            **({"ParamTypes": ["string"] * each.args} if each.args else {}),
        }
        for key, each in OWN.items()
    }  # fmt: skip
    return {
        "@odata.type": odata.type_of("MessageRegistry"), "Id": f"{PREFIX}.{VERSION}",
        "Name": "Casemate messages", "Language": "en", "RegistryPrefix": PREFIX,
        "RegistryVersion": VERSION, "OwningEntity": "Casemate",
        "Description": "Messages of Casemate's Redfish service.", "Messages": shown,
    }  # fmt: skip
