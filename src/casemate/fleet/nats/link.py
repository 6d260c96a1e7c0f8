"""A connection to the broker: TLS or none at all, one server, bounded messages.

The library begins in the clear and goes over to TLS if the server says so: whoever is in between
could say otherwise. It takes up other servers that the broker names, and reads messages of any
length. It takes headers of a controller's message for the broker's word, and fails at some. All of
it is closed here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError, ReaderError
from casemate.fleet.nats import wire
from casemate.fleet.nats.settings import Broker

if TYPE_CHECKING:
    from nats.aio.client import Client

CONNECT_S = 10.0
MOST_MESSAGE = 1_200_000
"""Longest message that is read, with its headers (planning value)."""
_LOG = logging.getLogger("casemate.fleet")


def installed() -> None:
    """Raise InputError if the library is missing."""
    from importlib.util import find_spec

    if not find_spec("nats"):
        raise InputError("nats-py is not installed.", remedy="install the extra casemate[interop].")


@asynccontextmanager
async def connected(broker: Broker, *, inbox: str, name: str) -> AsyncIterator[Client]:
    """Yield a connection, which does not come back by itself. ReaderError if there is none."""
    import nats
    from nats import errors

    installed()
    context = broker.context()
    given: dict[str, Any] = {} if context is None else {"tls": context}
    given |= {"tls_hostname": broker.host} if context is not None else {}
    try:
        link = await asyncio.wait_for(
            nats.connect(
                f"{'nats' if context is None else 'tls'}://{_host(broker.host)}:{broker.port}",
                name=name, allow_reconnect=False, connect_timeout=CONNECT_S, inbox_prefix=inbox,
                max_reconnect_attempts=1, reconnect_time_wait=0.1,  # 0 would be without end
                error_cb=_quiet, flush_timeout=CONNECT_S, **given,
            ),
            2 * CONNECT_S,
        )  # fmt: skip
    except (OSError, errors.Error, TimeoutError, ValueError) as error:
        raise _lost(broker, error) from None
    try:
        _check(link, broker)
        yield link
    except (OSError, errors.Error, TimeoutError) as error:
        raise _lost(broker, error) from None
    finally:
        with suppress(Exception):
            await link.close()


def _check(link: Any, broker: Broker) -> None:
    """Raise ReaderError unless the connection is what was asked for; bound what is read."""
    writer = link._transport._io_writer
    if broker.tls is not None and writer.get_extra_info("ssl_object") is None:
        raise ReaderError(
            "the broker speaks without TLS.", remedy="see who is between here and the broker.",
            reader=f"{broker.host}:{broker.port}",
        )  # fmt: skip

    parser = link._ps
    parse = parser.parse

    async def bounded(data: bytes = b"") -> None:
        await parse(data)
        if parser.needed > MOST_MESSAGE or len(parser.buf) > MOST_MESSAGE + 65_536:
            raise OSError("a message is too long")

    parser.parse = bounded
    process = link._process_msg

    async def processed(
        sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:  # fmt: skip
        if wire.is_of_a_controller(subject):
            headers = wire.only_ours(headers or b"")
        await process(sid, subject, reply, data, headers)

    link._process_msg = processed


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _lost(broker: Broker, error: Exception) -> ReaderError:
    told = str(error) or type(error).__name__
    return ReaderError(
        f"the broker cannot be used: {told}.", remedy="it is tried again.",
        reader=f"{broker.host}:{broker.port}",
    )  # fmt: skip


async def _quiet(error: Exception) -> None:
    _LOG.debug("nats: %s", error)
