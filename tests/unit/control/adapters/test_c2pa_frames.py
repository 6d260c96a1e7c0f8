"""C2PA manifests: c2pa's own reader accepts them and refuses what was altered; the key goes."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from item_signer import Enclosure, Given, signs

from outside_programs import package

c2pa = package("c2pa")
package("av")

import av  # noqa: E402
from rtsp_server import video  # noqa: E402

from casemate.control.adapters import c2pa_manifest, manifests, payload  # noqa: E402
from casemate.control.adapters.c2pa_manifest import Maker  # noqa: E402
from casemate.control.adapters.payload import PROOF  # noqa: E402
from casemate.control.adapters.stream import named  # noqa: E402
from casemate.core.errors import FormatError, SignatureError  # noqa: E402


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("c2pa") / "film.avi"
    video(path, "mjpeg", 3)
    with av.open(str(path)) as container:
        return [bytes(each) for each in container.demux(video=0) if each.size]


@pytest.fixture(scope="module")
def maker() -> Iterator[Maker]:
    made = Maker("camera", "UNIT-0001")
    yield made
    made.close()


@pytest.fixture(scope="module")
def story(
    frames: list[bytes], maker: Maker, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """A frame that an enclosure signed, its proof, and the frame with its manifest."""
    enclosure = Enclosure()
    given = Given([named(f"{k:08d}.jpg", each) for k, each in enumerate(frames)])
    path = signs(enclosure, given, tmp_path_factory.mktemp("signed"), 3, name="camera")[1]
    proof = json.loads(path.with_name(path.name + PROOF).read_bytes())
    made = maker.made(frames[1], proof)
    return {"enclosure": enclosure, "proof": proof, "made": made, "frame": frames[1]}


def test_the_reader_of_c2pa_accepts_and_the_proof_inside_holds(
    story: dict[str, Any], maker: Maker
) -> None:
    proof = c2pa_manifest.read(story["made"], maker.root)
    assert proof == story["proof"]
    plain = c2pa_manifest.original(story["made"])
    assert plain == story["frame"]
    found = payload.vouched(
        plain, json.dumps(proof).encode(), story["enclosure"].reference, "UNIT-0001"
    )
    assert (found.stream, found.number) == ("camera", 1)


def test_any_reader_sees_that_it_is_valid_and_who_signed(story: dict[str, Any]) -> None:
    """A reader without our roots and settings: valid, by a signer it does not know."""
    with c2pa.Reader("image/jpeg", io.BytesIO(story["made"])) as reader:
        found = json.loads(reader.json())
        assert reader.get_validation_state() in ("Valid", "Trusted")
    manifest = found["manifests"][found["active_manifest"]]
    assert manifest["signature_info"]["alg"] == "Ed25519"
    assert manifest["signature_info"]["common_name"] == "camera UNIT-0001"


def test_an_altered_frame_is_refused(story: dict[str, Any], maker: Maker) -> None:
    whole = story["made"]
    scan = whole.rindex(b"\xff\xda")
    for at in (scan + 12, (scan + len(whole)) // 2, len(whole) - 3):
        altered = bytearray(whole)
        altered[at] ^= 1
        with pytest.raises(SignatureError, match=r"assertion\.dataHash\.mismatch"):
            c2pa_manifest.read(bytes(altered), maker.root)


def test_an_altered_proof_is_refused(story: dict[str, Any], maker: Maker) -> None:
    salt = story["proof"]["salt"].encode()
    assert story["made"].count(salt) == 1
    other = (b"1" if salt[:1] == b"0" else b"0") + salt[1:]
    with pytest.raises(SignatureError):
        c2pa_manifest.read(story["made"].replace(salt, other), maker.root)


def test_a_manifest_of_another_frame_is_refused(
    story: dict[str, Any], frames: list[bytes], maker: Maker
) -> None:
    """Segments moved over to another frame: the hash of the frame does not fit."""
    whole = story["made"]
    first = whole.index(b"\xff\xeb")
    last = first
    while whole[last : last + 2] == b"\xff\xeb":
        last += 2 + int.from_bytes(whole[last + 2 : last + 4], "big")
    moved = frames[2][:first] + whole[first:last] + frames[2][first:]
    with pytest.raises(SignatureError):
        c2pa_manifest.read(moved, maker.root)


def test_another_issuer_and_no_manifest_are_refused(story: dict[str, Any], maker: Maker) -> None:
    other = Maker("camera", "UNIT-0001")
    try:
        with pytest.raises(SignatureError, match="untrusted"):
            c2pa_manifest.read(story["made"], other.root)
    finally:
        other.close()
    with pytest.raises(SignatureError):
        c2pa_manifest.read(story["frame"], maker.root)


def test_a_manifest_without_a_proof_is_refused(maker: Maker, frames: list[bytes]) -> None:
    made = maker.made(frames[0], {"stream": "camera", "number": 0})
    assert c2pa_manifest.read(made, maker.root) == {"stream": "camera", "number": 0}
    signed = made.replace(b"casemate.item", b"casemate.itex")
    with pytest.raises(SignatureError):
        c2pa_manifest.read(signed, maker.root)


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0\x00", b"\xff\xd8\xff\xe0\xff\xff1"])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        c2pa_manifest.original(data)


def test_manifests_are_made_while_guarded_and_the_key_goes_after(
    frames: list[bytes], tmp_path: Path
) -> None:
    enclosure, told = Enclosure(), [""]
    order = manifests.Order(folder=tmp_path, enclosure="camera", serial="UNIT-0001")
    made = manifests.Manifests(
        order, guards=enclosure.guards, tell=lambda text, _level: told.append(text)
    )
    try:
        given = Given([named(f"{k:08d}.jpg", each) for k, each in enumerate(frames)])
        signs(enclosure, given, tmp_path, 3, name="camera", kept=made.put)
        out = tmp_path / manifests.FOLDER
        assert wait(lambda: len(list(out.glob("0*.jpg"))) == 3), told
        root = (out / manifests.ISSUERS).read_text()
        for each in sorted(out.glob("0*.jpg")):
            assert c2pa_manifest.original(each.read_bytes()) == (tmp_path / each.name).read_bytes()
            assert c2pa_manifest.read(each.read_bytes(), root)["stream"] == "camera"
        maker = made.pid
        keys = children(maker)
        assert len(keys) == 1  # the key's process; the issuer's has ended
        enclosure.on, off_s = False, time.monotonic()
        assert wait(lambda: made.pid is None)
        assert wait(lambda: not alive(maker) and not any(alive(each) for each in keys))
        assert time.monotonic() - off_s < 10.0  # a second; loaded machines take longer
        made.put(["00000000.jpg"])
        enclosure.on = True
        assert wait(lambda: made.pid is not None and made.pid != maker)
        assert wait(lambda: (out / manifests.ISSUERS).read_text().count("BEGIN") == 2)
    finally:
        made.close()
    assert told == [""]


def children(pid: int | None) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int | None) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait(what: Any, seconds: float = 30.0) -> bool:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        if what():
            return True
        time.sleep(0.02)
    return False
