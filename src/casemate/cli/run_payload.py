"""What `casemate run` has signed for each application: frames, power traces, a rack's inventory."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.control.adapters.chunk import Meter
    from casemate.control.adapters.redfish import Login
    from casemate.control.adapters.stream import Source, Stream
    from casemate.control.runtime import Runtime

_COUNT = re.compile(r"([1-9][0-9]{0,11}) ?n([A-Za-z]{1,8})")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--frames", metavar="FOLDER", type=Path,
                        help="frames of a camera to sign (default: made-up ones)")  # fmt: skip
    parser.add_argument("--video", metavar="CAMERA", default="",
                        help="/dev/videoN, rtsp://..., or a file, instead of frames")  # fmt: skip
    parser.add_argument("--c2pa", action="store_true",
                        help="put C2PA manifests into copies of JPEG frames")  # fmt: skip
    parser.add_argument("--traces", metavar="FOLDER", type=Path,
                        help="traces to sign: .npy or .raw, int16 (default: made-up)")  # fmt: skip
    parser.add_argument("--sampling", metavar="HZ", type=int, default=100_000,
                        help="samples a second of --traces (default 100000)")  # fmt: skip
    parser.add_argument("--count", metavar="NANO", default="30518nV",
                        help="what a count of --traces stands for (default 30518nV)")  # fmt: skip
    parser.add_argument("--redfish", metavar="URL", default="",
                        help="Redfish service of a rack (default: a made-up one)")  # fmt: skip
    parser.add_argument("--redfish-login", metavar="FILE", type=Path,
                        help="user and password for it, on two lines")  # fmt: skip
    parser.add_argument("--redfish-ca", metavar="FILE", type=Path,
                        help="certificates to trust it by (default: the system's)")  # fmt: skip
    parser.add_argument("--rate", type=float, default=2.0, metavar="N",
                        help="frames or chunks a second, 0 for none (default 2)")  # fmt: skip


def refuse(args: argparse.Namespace) -> None:
    """Refuse arguments that cannot be: InputError."""
    if not 0.0 <= args.rate <= 1000.0:
        raise InputError("--rate is out of range.", remedy="give 0 to 1000.", key="--rate")
    for key in ("frames", "traces"):
        folder = getattr(args, key)
        if folder is not None and not folder.is_dir():
            raise InputError("there is no such folder.", remedy="name one.", key=f"--{key}")
    if args.video:
        from casemate.control.adapters import video

        video.refuse(args.video)
    if args.c2pa:
        from casemate.control.adapters import manifests

        manifests.refuse()
    _meter(args)
    _login(args.redfish_login)
    if args.redfish:
        from casemate.control.adapters.redfish import Service

        Service(args.redfish, authority=args.redfish_ca)  # connects to nothing yet


@contextmanager
def payload(args: argparse.Namespace, kind: str, runtime: Runtime) -> Iterator[Stream | None]:
    """Have what an enclosure of this kind protects signed, until the end; None if nothing is."""
    make = _SOURCES.get(kind)
    if make is None or not args.rate:
        yield None
        return
    from casemate.control.adapters.stream import Stream

    with ExitStack() as stack:
        name, batch_s, source = make(args, runtime, stack)
        stream = Stream(
            source, args.dir / "payload" / name, name=name, per_s=args.rate, batch_s=batch_s,
            first=runtime.setting.items.get(name, 0), guards=runtime.guards,
            say=runtime.say_payload, kept=_manifests(args, name, runtime, stack),
        )  # fmt: skip
        try:
            yield stream
        finally:
            stream.close()


def _manifests(
    args: argparse.Namespace, name: str, runtime: Runtime, stack: ExitStack
) -> Callable[[Sequence[str]], None]:
    """Return what is told of frames that are kept."""
    if not args.c2pa:
        return lambda _names: None
    from casemate.control.adapters.manifests import Manifests, Order

    place = runtime.setting.place
    order = Order(
        folder=args.dir / "payload" / name, enclosure=place.enclosure, serial=place.serial
    )
    made = Manifests(order, guards=runtime.guards, tell=runtime.tell)
    stack.callback(made.close)
    return made.put


def _camera(
    args: argparse.Namespace, runtime: Runtime, stack: ExitStack
) -> tuple[str, float, Source]:
    from casemate.control.adapters.camera import STREAM, FrameFiles, MadeUpFrames
    from casemate.control.batches import payload_batch_s

    if args.video:
        from casemate.control.adapters import video

        apart = video.reader(video.Order(address=args.video, per_s=args.rate))
        stack.callback(apart.close)
        return STREAM, payload_batch_s(args.batch), video.Video(apart.messages, tell=runtime.tell)
    frames: Source = FrameFiles(args.frames) if args.frames else MadeUpFrames(seed=args.seed)
    return STREAM, payload_batch_s(args.batch), frames


def _sensor(
    args: argparse.Namespace, _runtime: Runtime, _stack: ExitStack
) -> tuple[str, float, Source]:
    from casemate.control.adapters.trace import STREAM, MadeUpTraces, TraceFiles
    from casemate.control.batches import payload_batch_s

    if args.traces:
        return STREAM, payload_batch_s(args.batch), TraceFiles(args.traces, _meter(args))
    return STREAM, payload_batch_s(args.batch), MadeUpTraces(seed=args.seed)


def _meter(args: argparse.Namespace) -> Meter:
    from casemate.control.adapters.chunk import Meter

    found = _COUNT.fullmatch(args.count)
    if found is None or args.sampling < 1:
        raise InputError(
            "a sample is not known.", remedy="write --sampling 100000 --count 30518nV.",
            key="--count", value=args.count,
        )  # fmt: skip
    return Meter(rate_hz=args.sampling, unit=found[2], count_nano=int(found[1]))


def _rack(
    args: argparse.Namespace, runtime: Runtime, stack: ExitStack
) -> tuple[str, float, Source]:
    from casemate.control.adapters import made_up_rack, rack, snapshot
    from casemate.control.adapters.apart import Apart
    from casemate.control.adapters.rack_parts import RackInventory
    from casemate.control.adapters.redfish import Login

    address, folder = args.redfish, args.dir.resolve()
    tree = made_up(args, "rack")
    if tree is not None:
        made_up_rack.write(tree, made_up_rack.tree(seed=args.seed))
        server = Apart(made_up_rack.work, tree)
        stack.callback(server.close)
        address = made_up_rack.address(server.messages())
        runtime.tell(f"rack: a MADE-UP Redfish service answers, from {tree}")
    order = rack.Order(
        address=address, login=_login(args.redfish_login) or Login(), authority=args.redfish_ca
    )
    apart = rack.reader(order)
    stack.callback(apart.close)
    reference = folder / "anchor" / "rack.json"
    snapshots = rack.Snapshots(apart.messages, reference, tell=runtime.tell)
    runtime.upkeep.parts.inventory = RackInventory(
        snapshots, within=made_up_rack.within, wake=lambda: apart.send(b"now")
    )
    return snapshot.STREAM, 0.0, snapshots


def made_up(args: argparse.Namespace, kind: str) -> Path | None:
    """Return the folder of the made-up Redfish service, None if there is none."""
    folder: Path = args.dir.resolve() / "run" / "redfish"
    return folder if kind == "rack" and not args.redfish else None


def _login(path: Path | None) -> Login | None:
    """Return user and password from the two lines of a file."""
    from casemate.control.adapters.redfish import Login

    if path is None:
        return None
    try:
        user, password = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise InputError(
            "user and password cannot be read.", remedy="write them on two lines.",
            key="--redfish-login", file=str(path),
        ) from None  # fmt: skip
    return Login(user=user, password=password)


_Make = Callable[[argparse.Namespace, "Runtime", ExitStack], "tuple[str, float, Source]"]
_SOURCES: dict[str, _Make] = {"camera": _camera, "sensor": _sensor, "rack": _rack}
