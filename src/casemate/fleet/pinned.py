"""HTTPS to an address that was checked: the name is not looked up again, and vouched for by TLS."""

from __future__ import annotations

import http.client
import socket
import ssl


class Pinned(http.client.HTTPSConnection):
    """A connection to `address`; the certificate has to be of `host`. No redirect is followed."""

    def __init__(
        self, address: str, host: str, port: int, context: ssl.SSLContext, *, timeout_s: float
    ) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._address, self._tls, self._timeout_s = address, context, timeout_s

    def connect(self) -> None:
        """Connect to the address, look nothing up, and check who answers."""
        plain = socket.create_connection((self._address, self.port), timeout=self._timeout_s)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
