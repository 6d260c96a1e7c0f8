"""What `casemate fleet doctor` says of the broker: is it reached, is its stream as it has to be.

Of what others run nothing is changed. Only what was found wrong is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from casemate.core.errors import CasemateError
from casemate.fleet.nats import door, receive, wire
from casemate.fleet.nats import link as links
from casemate.fleet.nats import settings as brokers
from casemate.fleet.nats.settings import Broker

_MANY = 1000
"""Messages that wait at the broker, above which the service does not keep up (planning value)."""


def look(row: object, folder: Path, file: Path, kept: Path) -> Iterator[tuple[str, str, str]]:
    """Yield level, what and remedy of all that is wrong. kept: folder of what was put aside."""
    broker = brokers.read(row, folder, file)
    if broker is None:
        return
    count = door.aside(kept)
    if count:
        yield (
            "bad", f"{count} messages by NATS made this service fail and were put aside",
            f"report a fault with {kept / 'aside'}; then remove what lies there",
        )  # fmt: skip
    try:
        found = asyncio.run(_asked(broker))
    except CasemateError as error:
        yield "bad", error.message, "start the broker, see its log, and compare its certificates"
        return
    yield from _stream(broker, found)


async def _asked(broker: Broker) -> Any:
    from nats.js.errors import Error, NotFoundError

    inbox = f"{wire.INBOX}.fleet"
    async with links.connected(broker, inbox=inbox, name="casemate doctor") as link:
        try:
            return await link.jetstream(timeout=links.CONNECT_S).stream_info(broker.stream)
        except NotFoundError:
            return None
        except Error as error:
            raise OSError(str(error)) from None


def _stream(broker: Broker, found: Any) -> Iterator[tuple[str, str, str]]:
    if found is None:
        yield (
            "warning",
            f"the broker has no stream {broker.stream}",
            "start the service: it makes it",
        )
        return
    want, have = receive.stream_config(broker.stream), found.config
    for key in ("subjects", "storage", "retention", "discard", "discard_new_per_subject",
                "max_msgs_per_subject", "max_msg_size", "no_ack"):  # fmt: skip
        ours, theirs = getattr(want, key), getattr(have, key)
        if ours != theirs:
            yield (
                "bad", f"{key} of stream {broker.stream} is {theirs}, not {ours}",
                f"nats stream rm {broker.stream}, and start the service: it makes it anew; "
                "controllers bring what is lost again",
            )  # fmt: skip
    if found.state.messages > _MANY:
        yield (
            "warning", f"{found.state.messages} messages wait at the broker",
            "see that the service runs and keeps up; measure with `casemate fleet hammer`",
        )  # fmt: skip
