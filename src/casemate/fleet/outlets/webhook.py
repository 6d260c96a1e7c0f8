"""Signed webhooks: each notice one CloudEvent 1.0 (structured mode, JSON), over HTTPS alone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from casemate.fleet import addresses
from casemate.fleet.alarms.notice import Notice
from casemate.fleet.outlets import destination
from casemate.fleet.outlets.outlet import TIMEOUT_S, OutletError, Told
from casemate.fleet.outlets.settings import Webhook
from casemate.fleet.outlets.signature import sign
from casemate.fleet.outlets.standing import Standing
from casemate.fleet.pinned import Pinned

WHOLE_S = 30.0
"""For all of a request and its answer (planning value)."""


def event(notice: Notice, service: str) -> dict[str, Any]:
    """Return a notice as a CloudEvent; id and source together are the same each time it is told."""
    return {
        "specversion": "1.0",
        "id": notice.key,
        "source": f"/casemate/{service}",
        "type": f"casemate.incident.{notice.what}",
        "subject": f"enclosure/{notice.enclosure}",
        "time": datetime.fromtimestamp(notice.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sequence": f"{notice.id:020d}",
        "datacontenttype": "application/json",
        "data": {
            "text": notice.text, "enclosure": notice.enclosure, "name": notice.name,
            "serial": notice.serial, "site": notice.site, "kind": notice.kind,
            "incident": notice.incident, "severity": notice.severity, "finding": notice.code,
            "calls": notice.calls, "more": notice.more,
        },
    }  # fmt: skip


class WebhookOutlet:
    """Brings notices to one address."""

    most = 1

    def __init__(
        self, settings: Webhook, told: Told, *, look: addresses.Lookup = addresses.lookup
    ) -> None:
        parts = urlsplit(settings.url)
        self._settings, self._told, self._look = settings, told, look
        self._host, self._port = str(parts.hostname), parts.port or 443
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._context = settings.tls.context()

    def send(self, notices: Sequence[Notice]) -> None:
        """Bring notices, one after the other. OutletError unless each is answered by 2xx.

        Redirects are refusals. Nothing of an answer is kept but its status.
        """
        for each in notices:
            self._post(each)

    def _post(self, notice: Notice) -> None:
        body = json.dumps(event(notice, self._told.service), ensure_ascii=True).encode("ascii")
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "casemate",
            **sign(self._settings.secret, notice.key, int(self._told.clock()), body),
        }
        networks = self._settings.networks
        address = destination.resolve(self._host, self._port, networks, self._look)
        made = Pinned(
            address, self._host, self._port, self._context, timeout_s=TIMEOUT_S, whole_s=WHOLE_S
        )
        try:
            with made as link:
                link.request("POST", self._path, body=body, headers=headers)
                status = link.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutletError(f"the webhook did not take it: {error}.") from None
        if not 200 <= status < 300:
            raise OutletError(f"the webhook answers {status}.")

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        """Do nothing: a webhook shows no state."""

    def close(self) -> None:
        """Do nothing: no connection outlives a notice."""
