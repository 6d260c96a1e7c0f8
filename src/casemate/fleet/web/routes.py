"""All routes: path, method, permission, view. What is not here is not served."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.fleet.roles import MACHINE
from casemate.fleet.web import (
    audit_page,
    enclosure_page,
    entrance,
    fleet_page,
    incident_page,
    passkey_page,
    series_page,
    trust_page,
)
from casemate.fleet.web.asked import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route. template: of a page, which has a JSON twin under the same path with .json.

    scripts: where the page has the browser ask for a passkey, it may run our own.
    """

    path: str
    view: View
    permission: str
    method: str = "GET"
    template: str = ""
    scripts: bool = False


ROUTES = (
    Route(path="/", view=entrance.home, permission="see"),
    Route(path="/fleet", view=fleet_page.view, permission="see", template="fleet.html"),
    Route(
        path="/enclosures/{id:int}", view=enclosure_page.view, permission="see",
        template="enclosure.html",
    ),
    Route(
        path="/enclosures/{id:int}/continuity", view=enclosure_page.continuity, permission="see",
        template="continuity.html",
    ),
    Route(
        path="/enclosures/{id:int}/verdict.json", view=enclosure_page.verdict, permission="see"
    ),
    Route(
        path="/enclosures/{id:int}/evidence.zip", view=enclosure_page.export, permission="export"
    ),
    Route(
        path="/incidents", view=incident_page.index, permission="see", template="incidents.html"
    ),
    Route(
        path="/incidents/{id:int}", view=incident_page.story, permission="see",
        template="incident.html", scripts=True,
    ),
    Route(
        path="/incidents/{id:int}/acknowledge", method="POST", view=incident_page.acknowledge,
        permission="acknowledge",
    ),
    Route(
        path="/incidents/{id:int}/propose", method="POST", view=incident_page.propose,
        permission="propose",
    ),
    Route(
        path="/incidents/{id:int}/confirm", method="POST", view=incident_page.confirm,
        permission="confirm",
    ),
    Route(path="/audit", view=audit_page.view, permission="see-audit", template="audit.html"),
    Route(path="/audit.zip", view=audit_page.export, permission="see-audit"),
    Route(
        path="/sign-in", view=entrance.sign_in_form, permission="sign-in", template="sign-in.html"
    ),
    Route(path="/sign-in", method="POST", view=entrance.sign_in, permission="sign-in"),
    Route(
        path="/sign-in/passkey", view=passkey_page.sign_in_form, permission="sign-in",
        template="passkey-sign-in.html", scripts=True,
    ),
    Route(
        path="/sign-in/passkey", method="POST", view=passkey_page.sign_in, permission="sign-in"
    ),
    Route(
        path="/passkeys", view=passkey_page.view, permission="passkey", template="passkeys.html",
        scripts=True,
    ),
    Route(
        path="/passkeys", method="POST", view=passkey_page.register, permission="passkey"
    ),
    Route(path="/sign-out", method="POST", view=entrance.sign_out, permission="sign-out"),
    Route(path="/static/{name}", view=entrance.asset, permission="static"),
    Route(path="/evidence", view=entrance.where, permission=MACHINE),
    Route(path="/evidence", method="POST", view=entrance.push, permission=MACHINE),
    Route(path="/series", method="POST", view=series_page.bring, permission=MACHINE),
    Route(path="/enclosures/{id:int}/series.json", view=series_page.view, permission="see"),
    Route(path="/trust", method="POST", view=trust_page.bring, permission=MACHINE),
    Route(path="/enclosures/{id:int}/trust.json", view=trust_page.versions, permission="see"),
)  # fmt: skip
