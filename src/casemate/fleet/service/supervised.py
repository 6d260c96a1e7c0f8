"""Says to the manager of services (systemd) that this one answers, and that it is alive.

sd_notify(3): a datagram to the socket that the manager names. Without a manager nothing is said.
"""

from __future__ import annotations

import logging
import os
import socket

SOCKET = "NOTIFY_SOCKET"
READY, ALIVE, STOPPING = b"READY=1", b"WATCHDOG=1", b"STOPPING=1"


def tell(what: bytes) -> bool:
    """Send a state, and return whether there is a manager that took it. Never raises."""
    path = os.environ.get(SOCKET, "")
    if not path.startswith(("/", "@")):
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.settimeout(1.0)  # a manager that does not read holds up nothing
            link.sendto(what, address)
    except OSError as error:
        logging.getLogger("casemate.fleet").warning("the manager was not told: %s", error)
        return False
    return True
