"""Answers by libraries of others, in an environment of their own: `python libraries.py`.

Reads questions from stdin, a JSON a line, and writes an answer a line; an error is an answer.
"""

from __future__ import annotations

import base64
import json
import sys
from importlib.metadata import version
from typing import Any


def webhook(asked: dict[str, Any]) -> Any:
    """Return the CloudEvent of a request, once Standard Webhooks has verified who signed it."""
    from cloudevents.core.bindings.http import HTTPMessage, from_http_event
    from standardwebhooks.webhooks import Webhook

    body, headers = base64.b64decode(asked["body"]), asked["headers"]
    Webhook(asked["secret"]).verify(body, headers)
    made = from_http_event(HTTPMessage(headers=headers, body=body))
    return {**made.get_attributes(), "data": made.get_data()}


def dashboard(asked: dict[str, Any]) -> Any:
    """Return a dashboard as Grafana's own model has it after it read ours."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models import dashboard

    register_default_plugins()
    made = dashboard.Dashboard.from_json(asked["dashboard"])
    kinds = [type(each).__module__ for panel in made.panels or [] for each in panel.targets or []]
    return {"dashboard": json.loads(JSONEncoder().encode(made)), "targets": kinds}


def sparkplug(asked: dict[str, Any]) -> Any:
    """Return the metrics of a payload, by name: value, type, quality."""
    import pysparkplug

    kind = getattr(pysparkplug, asked["kind"])
    made = kind.decode(base64.b64decode(asked["payload"]))
    rows = {each.name: [each.value, each.datatype.name] for each in getattr(made, "metrics", ())}
    return {
        "seq": getattr(made, "seq", None), "bd_seq": getattr(made, "bd_seq", None), "metrics": rows,
    }  # fmt: skip


ANSWERS = {"webhook": webhook, "dashboard": dashboard, "sparkplug": sparkplug}


def main() -> None:
    """Answer until stdin ends."""
    names = ("cloudevents", "grafana-foundation-sdk", "pysparkplug", "standardwebhooks")
    print(json.dumps({each: version(each) for each in names}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told = {"answer": ANSWERS[asked["ask"]](asked)}
        except Exception as error:  # whatever it is, the judge reads it
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told, default=str), flush=True)


if __name__ == "__main__":
    main()
