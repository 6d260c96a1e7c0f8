"""A camera for tests: RTSP over one TCP connection, JPEG in RTP (RFC 2326, RFC 2435)."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"


def video(path: Path, codec: str, count: int = 10, **options: str) -> None:
    """Write a video whose frame k has the level 20 k + 20."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for k in range(count):
            picture = np.full((48, 64, 3), 20 * k + 20, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


class Camera:
    """Serves one client after the other; RTP comes from FFmpeg's muxer, over UDP on loopback."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/live"
        self.clients = 0
        self.cut = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.cut.set()
        self._door.close()

    def _run(self) -> None:
        while True:
            try:
                link, _ = self._door.accept()
            except OSError:
                return
            self.clients += 1
            self.cut.clear()
            try:
                self._talk(link)
            except OSError:
                pass
            finally:
                link.close()

    def _talk(self, link: socket.socket) -> None:
        lines = link.makefile("rb")
        while head := self._request(lines):
            method, number = head[0].split()[0].decode(), 0
            for line in head[1:]:
                if line.lower().startswith(b"cseq:"):
                    number = int(line[5:])
            more, body = "", ""
            if method == "OPTIONS":
                more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                body = SDP
                more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            answer = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 1\r\n{more}\r\n{body}"
            link.sendall(answer.replace("Session: 1\r\nTransport", "Transport").encode())
            if method == "PLAY":
                self._play(link)
                return

    @staticmethod
    def _request(lines: Any) -> list[bytes]:
        head: list[bytes] = []
        while (line := lines.readline().strip()) or not head:
            if not line:
                return []
            head.append(line)
        return head

    def _play(self, link: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
            heard.bind(("127.0.0.1", 0))
            heard.settimeout(0.2)
            port = heard.getsockname()[1]
            threading.Thread(target=self._speak, args=(port,), daemon=True).start()
            while not self.cut.is_set():
                try:
                    packet = heard.recv(65536)
                except TimeoutError:
                    continue
                if packet[1] & 0x7F == 26:
                    link.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)

    def _speak(self, port: int) -> None:
        import av

        with av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as container:
            stream: Any = container.add_stream("mjpeg", rate=20, options={"huffman": "default"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
            k = 0
            while not self.cut.is_set():
                picture = np.full((48, 64, 3), 20 * (k % 10) + 20, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                k += 1
                time.sleep(0.05)
