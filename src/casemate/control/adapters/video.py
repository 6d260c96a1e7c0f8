"""Frames of a camera by V4L2 or RTSP, or of a video file: items of the stream "camera", as JPEG.

FFmpeg, through PyAV (extra `video`), reads them in a process of its own: it parses bytes of a
network, and needs time. What a camera sends as JPEG is signed as it is; anything else is decoded
and signed as the JPEG that is made of it here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from casemate.control.adapters.apart import Apart
from casemate.control.adapters.stream import Draft
from casemate.core.errors import InputError

OPEN_S, FRAME_S, AGAIN_S = 10.0, 10.0, 2.0
"""For a camera to answer, between two frames, and before it is tried again (planning values)."""
QUALITY = 3
"""Of JPEGs made here, FFmpeg's scale from 2 (best) to 31 (planning value)."""
_FRAME, _SAID = b"F", b"S"
_NETWORK = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is read: /dev/videoN, rtsp[s]://..., or a file.

    per_s: frames a second at most, 0 for all.
    """

    address: str
    per_s: float = 0.0

    @property
    def kind(self) -> str:
        """Return "v4l2", "rtsp" or "file"."""
        if self.address.startswith(("rtsp://", "rtsps://")):
            return "rtsp"
        return "v4l2" if self.address.startswith("/dev/video") else "file"

    def opened(self) -> dict[str, Any]:
        """Return how FFmpeg has to open it: nothing but what the kind needs."""
        options = {
            "rtsp": {"rtsp_transport": "tcp", "protocol_whitelist": _NETWORK},
            "v4l2": {"input_format": "mjpeg"},
            "file": {"protocol_whitelist": "file"},
        }[self.kind]
        return {
            "format": {"rtsp": "rtsp", "v4l2": "v4l2"}.get(self.kind),
            "options": options,
            "timeout": (OPEN_S, FRAME_S),
        }


def refuse(address: str) -> None:
    """Refuse what cannot be read here: InputError."""
    if find_spec("av") is None:
        raise InputError("PyAV is missing.", remedy="install the extra `video`.", key="--video")
    order = Order(address=address)
    if order.kind != "rtsp" and not Path(address).exists():
        raise InputError(
            "there is no such camera or file.",
            remedy="name /dev/videoN, rtsp://..., or a file.", key="--video", value=address,
        )  # fmt: skip


def work(link: Connection, order: Order) -> None:
    """Read in a process of its own: send a frame or a line each; a file ends, a camera does not."""
    import av

    while True:
        try:
            with av.open(order.address, **order.opened()) as container:
                for data in _frames(container, order.per_s):
                    link.send_bytes(_FRAME + data)
            said = "it has ended"
        except (av.FFmpegError, ValueError, IndexError) as error:
            said = f"it cannot be read: {error}"
        link.send_bytes(_SAID + said.encode(errors="replace")[:500])
        if order.kind == "file":
            link.recv_bytes()  # wait for the end
        if link.poll(AGAIN_S):
            return


def _frames(container: Any, per_s: float) -> Iterator[bytes]:
    """Yield JPEGs; those that come too soon after one another are passed over."""
    stream = container.streams.video[0]
    jpeg = stream.codec_context.name == "mjpeg"
    encoder, due_s = None, 0.0
    for packet in container.demux(stream):
        now_s = time.monotonic()
        if jpeg:
            if packet.size and now_s >= due_s:
                due_s = now_s + (1.0 / per_s if per_s else 0.0)
                yield bytes(packet)
            continue
        for frame in packet.decode():
            if now_s < due_s:
                continue
            due_s = now_s + (1.0 / per_s if per_s else 0.0)
            encoder = encoder or _Jpeg(frame)
            yield from encoder.made(frame)


class _Jpeg:
    """Makes JPEGs of frames of one size."""

    def __init__(self, frame: Any) -> None:
        import av

        self._context = context = av.CodecContext.create("mjpeg", "w")
        context.width, context.height = frame.width, frame.height
        context.pix_fmt, context.time_base = "yuvj420p", frame.time_base
        context.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
        self._count = 0

    def made(self, frame: Any) -> Iterator[bytes]:
        context = self._context
        if (frame.width, frame.height) != (context.width, context.height):
            raise ValueError("the size of frames has changed")
        picture = frame.reformat(format="yuvj420p")
        picture.pts, picture.pict_type = self._count, 0
        self._count += 1
        for packet in context.encode(picture):
            yield bytes(packet)


class Video:
    """Frames as they come. messages: what `work` sends. tell: gets what it says, with its level."""

    def __init__(
        self,
        messages: Callable[[], Iterator[bytes | None]],
        *,
        tell: Callable[[str, int], None],
    ) -> None:
        self._messages, self._tell, self._said = messages, tell, ""

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield frames."""
        for message in self._messages():
            if message is None:
                yield None
            elif message[:1] == _FRAME:
                self._said = ""
                yield _numbered(message[1:])
            else:
                said = message[1:].decode(errors="replace")
                if said != self._said:
                    self._tell(f"camera: {said}", 1)
                self._said = said


def reader(order: Order) -> Apart:
    """Return the process that reads."""
    return Apart(work, order)


def _numbered(data: bytes) -> Draft:
    return lambda number, _before: (f"{number:08d}.jpg", data)
