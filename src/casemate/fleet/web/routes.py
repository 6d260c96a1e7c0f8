"""All routes: path, method, permission, view. What is not here is not served."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.fleet.access.roles import DISPLAY, MACHINE, SCRAPER
from casemate.fleet.web import (
    audit_page,
    case_page,
    channels_page,
    enclosure_page,
    entrance,
    fleet_page,
    incident_page,
    interval_page,
    knowledge_page,
    metrics,
    passkey_page,
    permit_page,
    review_page,
    series_page,
    trust_page,
    wall_page,
)
from casemate.fleet.web.asked import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route. template: of a page, which has a JSON twin under the same path with .json.

    scripts: where the page has the browser ask for a passkey, or draws charts, it may run our own.
    files: its form may bring files. renews: seconds after which the page renews itself, 0: never.
    """

    path: str
    view: View
    permission: str
    method: str = "GET"
    template: str = ""
    scripts: bool = False
    files: bool = False
    renews: int = 0


PERMIT_ROUTES = (
    Route(
        path="/enclosures/{id:int}/permits", view=permit_page.index, permission="see",
        template="permits.html",
    ),
    Route(
        path="/enclosures/{id:int}/permits/new", view=permit_page.form, permission="permit",
        template="permit-form.html",
    ),
    Route(
        path="/enclosures/{id:int}/permits", method="POST", view=permit_page.ask,
        permission="permit", template="permit-made.html",
    ),
    Route(
        path="/enclosures/{id:int}/permits/bring", method="POST", view=permit_page.bring,
        permission="permit", files=True,
    ),
    Route(
        path="/permits/{id:int}", view=permit_page.view, permission="see", template="permit.html"
    ),
    Route(path="/permits/{id:int}/file.cbor", view=permit_page.download, permission="see"),
    Route(
        path="/permits/{id:int}/sign", method="POST", view=permit_page.sign, permission="permit",
        files=True,
    ),
    Route(
        path="/permits/{id:int}/withdraw", method="POST", view=permit_page.withdraw,
        permission="permit",
    ),
)  # fmt: skip

REVIEW_ROUTES = (
    Route(path="/review", view=review_page.view, permission="see", template="review.html",
          renews=30),
    Route(
        path="/review/dispose", method="POST", view=review_page.dispose, permission="dispose-many"
    ),
    Route(
        path="/enclosures/{id:int}/interval", view=interval_page.view, permission="see",
        template="interval.html", renews=30,
    ),
    Route(
        path="/enclosures/{id:int}/interval.zip", view=interval_page.export, permission="export"
    ),
)  # fmt: skip

PAPER_ROUTES = (
    Route(
        path="/continuity", view=knowledge_page.view, permission="see", template="knowledge.html"
    ),
    Route(
        path="/enclosures/{id:int}/case", view=case_page.view, permission="see",
        template="case.html",
    ),
    Route(path="/enclosures/{id:int}/case/file.json", view=case_page.raw, permission="see"),
)  # fmt: skip

ROUTES = (
    *PAPER_ROUTES,
    *PERMIT_ROUTES,
    *REVIEW_ROUTES,
    Route(path="/", view=entrance.home, permission="static"),
    Route(path="/fleet", view=fleet_page.view, permission="see", template="fleet.html",
          renews=15),
    Route(path="/wall", view=wall_page.view, permission=DISPLAY, template="wall.html", renews=15),
    Route(
        path="/enclosures/{id:int}", view=enclosure_page.view, permission="see",
        template="enclosure.html", renews=15,
    ),
    Route(
        path="/enclosures/{id:int}/channels", view=channels_page.view, permission="see",
        template="channels.html", scripts=True, renews=15,
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
        path="/incidents", view=incident_page.index, permission="see", template="incidents.html",
        renews=30,
    ),
    Route(
        path="/incidents/{id:int}", view=incident_page.story, permission="see",
        template="incident.html", scripts=True, renews=15,
    ),
    Route(path="/incidents/{id:int}/triggers.json", view=incident_page.triggers, permission="see"),
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
    Route(path="/metrics", view=metrics.view, permission=SCRAPER),
    Route(path="/evidence", view=entrance.where, permission=MACHINE),
    Route(path="/evidence", method="POST", view=entrance.push, permission=MACHINE),
    Route(path="/series", method="POST", view=series_page.bring, permission=MACHINE),
    Route(path="/enclosures/{id:int}/series.json", view=series_page.view, permission="see"),
    Route(path="/trust", method="POST", view=trust_page.bring, permission=MACHINE),
    Route(path="/enclosures/{id:int}/trust.json", view=trust_page.versions, permission="see"),
)  # fmt: skip
