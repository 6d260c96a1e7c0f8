"""HTTPS to an address that was checked: the name is not looked up again, and vouched for by TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from typing import Self


class Pinned(http.client.HTTPSConnection):
    """A connection to `address`; the certificate has to be of `host`. No redirect is followed.

    timeout_s: for each part. whole_s: for all from connecting to the answer; it breaks then, so
    that who answers byte by byte holds nobody. To be used as a context.
    """

    def __init__(
        self, address: str, host: str, port: int, context: ssl.SSLContext, *, timeout_s: float,
        whole_s: float,
    ) -> None:  # fmt: skip
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._address, self._tls, self._timeout_s = address, context, timeout_s
        self._plain: socket.socket | None = None
        self._is_over = False
        self._end = threading.Timer(whole_s, self._break)
        self._end.daemon = True

    def connect(self) -> None:
        """Connect to the address, look nothing up, and check who answers."""
        plain = socket.create_connection((self._address, self.port), timeout=self._timeout_s)
        self._plain = plain.dup()  # of the same connection, whatever TLS does with the other
        self._end.start()
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close()  # which the library does by itself before an answer's body is read
        self._let_go()
        if self._is_over and kind is None:  # an answer that was cut off may look like a whole one
            raise TimeoutError("it took too long")

    def _break(self) -> None:
        self._is_over = True
        plain = self._plain
        if plain is not None:
            with suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        self._end.cancel()
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.close()
