"""Frames through FFmpeg: from files of two codecs, and by RTSP from a server of our own.

Not tested: a real camera, and V4L2, which needs a device of the kernel.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from item_signer import Enclosure, kept, signs, stream

from outside_programs import package

av = package("av")

from rtsp_server import Camera, video  # noqa: E402

from casemate.control.adapters import payload  # noqa: E402
from casemate.control.adapters import video as videos  # noqa: E402
from casemate.core.errors import InputError, SignatureError  # noqa: E402


def level(data: bytes) -> float:
    """Return the mean level of a JPEG, read by FFmpeg."""
    with av.open(io.BytesIO(data), format="mjpeg") as container:
        frame = next(container.decode(video=0))
    return float(np.mean(frame.to_ndarray(format="gray")))


def source(order: videos.Order, told: list[str]) -> tuple[Any, videos.Video]:
    apart = videos.reader(order)
    return apart, videos.Video(apart.messages, tell=lambda text, _level: told.append(text))


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_frames_of_a_file_are_signed(codec: str, tmp_path: Path) -> None:
    path, told = tmp_path / "film.avi", [""]
    video(path, codec)
    apart, frames = source(videos.Order(address=str(path)), told)
    enclosure = Enclosure()
    try:
        paths = signs(enclosure, frames, tmp_path / "out", 10, name="camera")
    finally:
        apart.close()
    assert len(paths) == 10 and all(each.suffix == ".jpg" for each in paths)
    for k, each in enumerate(paths):
        assert enclosure.check(each).number == k
        assert level(each.read_bytes()) == pytest.approx(20 * k + 20, abs=6)
    data = bytearray(paths[3].read_bytes())
    data[len(data) // 2] ^= 1
    shown = paths[3].with_name(paths[3].name + payload.PROOF).read_bytes()
    with pytest.raises(SignatureError):
        payload.vouched(bytes(data), shown, enclosure.reference, "UNIT-0001")


def test_jpegs_of_a_camera_are_signed_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    video(path, "mjpeg")
    with av.open(str(path)) as container:
        sent = [bytes(each) for each in container.demux(video=0) if each.size]
    apart, frames = source(videos.Order(address=str(path)), [])
    try:
        paths = signs(Enclosure(), frames, tmp_path / "out", 10, name="camera")
    finally:
        apart.close()
    assert [each.read_bytes() for each in paths] == sent


def test_rtsp_frames_are_signed_and_a_cut_link_is_told_and_tried_again(tmp_path: Path) -> None:
    camera, told = Camera(), [""]
    apart, frames = source(videos.Order(address=camera.address), told)
    enclosure = Enclosure()
    made = stream(enclosure, frames, tmp_path, "camera")
    try:
        assert wait(lambda: made.signed >= 5), (told, made.problem)
        camera.cut.set()
        assert wait(lambda: camera.clients == 2)
        before = made.signed
        assert wait(lambda: made.signed >= before + 5), (told, made.problem)
    finally:
        made.close()
        apart.close()
        camera.close()
    assert any("camera: it" in each for each in told)
    levels = {round(level(each.read_bytes()) / 20) for each in kept(tmp_path)}
    assert len(levels) > 3  # frames differ
    numbers = [enclosure.check(each).number for each in kept(tmp_path)]
    assert numbers == list(range(len(numbers)))


@pytest.mark.slow
def test_fewer_frames_than_come_if_so_asked(tmp_path: Path) -> None:
    camera = Camera()
    apart, frames = source(videos.Order(address=camera.address, per_s=4.0), [])
    made = stream(Enclosure(), frames, tmp_path, "camera")
    try:
        assert wait(lambda: made.signed >= 1)
        first, start_s = made.signed, time.monotonic()
        time.sleep(2.0)
        rate = (made.signed - first) / (time.monotonic() - start_s)
    finally:
        made.close()
        apart.close()
        camera.close()
    assert 1.0 < rate < 6.0  # 20 come a second


@pytest.mark.slow
def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    path, told = tmp_path / "film.avi", [""]
    path.write_bytes(b"RIFF" + bytes(100))
    apart, frames = source(videos.Order(address=str(path)), told)
    made = stream(Enclosure(), frames, tmp_path / "out", "camera")
    try:
        assert wait(lambda: len(told) > 1)
    finally:
        made.close()
        apart.close()
    assert made.signed == 0 and "cannot be read" in told[-1]


@pytest.mark.parametrize("address", ["/dev/video99", "none.mp4", "http://127.0.0.1/x.mp4"])
def test_what_is_not_there_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        videos.refuse(address)


def test_a_file_cannot_make_ffmpeg_open_others(tmp_path: Path) -> None:
    """A playlist names other addresses; protocols beyond the file's own are not opened."""
    order = videos.Order(address=str(tmp_path / "x.m3u8"))
    assert order.opened()["options"] == {"protocol_whitelist": "file"}
    (tmp_path / "x.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(av.FFmpegError), av.open(order.address, **order.opened()) as found:
        next(found.decode(video=0))


def wait(what: Any, seconds: float = 30.0) -> bool:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        if what():
            return True
        time.sleep(0.02)
    return False
