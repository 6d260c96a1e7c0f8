"""Run the live enclosure on its twin: controller, evidence, log, witnesses, on this machine."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.cli import run_faces, run_payload
from casemate.cli.build import source_note
from casemate.cli.desks import DESK, STATUS
from casemate.cli.permit import SUITE_NAMES
from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attest.reference import Module
    from casemate.cli.run_twin import TwinOrder
    from casemate.control.adapters.stream import Stream
    from casemate.control.readers import Far
    from casemate.control.runtime import Runtime
    from casemate.control.setting import Wanted
    from casemate.design.enclosure import Enclosure
    from casemate.spec.model import EnclosureSpec

BOARDS = Path(".work") / "boards"
"""As `prove` keeps them: layouts, as secret as the manufacturing files beside them."""
ALERT, SEAL = 1, 2
"""Levels of the response; from SEAL on a line is an alarm."""
READY_S = 600.0
"""Drawing the boards of a camera takes two minutes on a busy machine (planning value)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="what `casemate build` wrote")
    parser.add_argument("--for", metavar="S", type=float, dest="seconds", help="stop after S")
    parser.add_argument("--keys", choices=("tpm", "process"), default="",
                        help="where keys live (default: tpm if one can be had)")  # fmt: skip
    parser.add_argument("--suite", default=SUITE_NAMES[0], choices=SUITE_NAMES,
                        help="of keys and digests; that of the first run, for good")  # fmt: skip
    parser.add_argument("--approve", action="store_true",
                        help="let both DEMO parties open keys that a start has sealed")  # fmt: skip
    parser.add_argument("--recommission", action="store_true",
                        help="let both DEMO parties begin anew, after TAMPERED")  # fmt: skip
    parser.add_argument("--batch", metavar="S", type=int, default=360,
                        help="that heartbeats and frames wait (default 360)")  # fmt: skip
    parser.add_argument("--witness", metavar="NAME,VKEY,URL", action="append", default=[],
                        help="ask this witness, instead of two that are started here")  # fmt: skip
    parser.add_argument("--tpm-roots", metavar="FILE", type=Path,
                        help="commission no TPM but of these makers' (PEM)")  # fmt: skip
    parser.add_argument("--boot-pcrs", metavar="N,N", default="",
                        help="bind new keys to what the boot measured")  # fmt: skip
    run_faces.configure(parser)
    run_payload.configure(parser)
    parser.add_argument("--spec", metavar="SPEC", type=Path, help="default: as built")
    parser.add_argument("--secret-file", metavar="FILE", type=Path, help="default: as built")
    parser.add_argument("--site", default="", help="rack, camera pole or laboratory")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the twin's noise")
    parser.add_argument("--json", action="store_true", help="print the status at the end as JSON")


def run(args: argparse.Namespace) -> int:
    """Run until the time is over or an interrupt; exit code 0 armed, 1 alarm, 3 unknown."""
    _refuse(args)
    from casemate.core.canonical import pretty_json

    project = _project(args)
    with _alone(args.dir), _started(args, project) as (runtime, far):
        shown = Shown(quiet=args.json)
        shown.line(f"keys: {runtime.setting.custody.kind} ({runtime.setting.why_custody})")
        if runtime.setting.wanted.caveat:
            shown.line(f"ALARM {runtime.setting.wanted.caveat}")
        try:
            runtime.start()
            with run_payload.payload(args, project.spec.protected.kind, runtime) as stream:
                _watch(runtime, args.seconds, shown, stream)
                status, code = runtime.status(), runtime.exit_code
        finally:
            runtime.close()
        status["caveat"] = runtime.setting.wanted.caveat
        if stream is not None:
            status["payload"] = stream.status()
        shown.end(status)
        del far
    if args.json:
        sys.stdout.write(pretty_json(status))
    return code


def _refuse(args: argparse.Namespace) -> None:
    if args.seconds is not None and not args.seconds > 0.0:
        raise InputError("--for is not above 0.", remedy="give seconds.", key="--for")
    if not 10 <= args.batch <= 3600:
        raise InputError("--batch is out of range.", remedy="give 10 to 3600 s.", key="--batch")
    run_payload.refuse(args)
    run_faces.refuse(args)
    if args.seed < 0:
        raise InputError("--seed is below 0.", remedy="give 0 or more.", key="--seed")
    if not (args.dir / "proof.json").is_file():
        raise InputError(
            "no design was built here.", remedy="write it with `casemate build SPEC -o DIR`.",
            file=str(args.dir / "proof.json"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The enclosure as it was built, and the secret of its layouts."""

    spec: EnclosureSpec
    enclosure: Enclosure
    secret: bytes


def _project(args: argparse.Namespace) -> Project:
    from casemate.cli.build import load_secret
    from casemate.design import design_enclosure
    from casemate.spec import load_spec

    source = _source(args.dir)
    spec_file = args.spec or _given(source, "spec", args.dir, "--spec")
    secret_file = args.secret_file or _given(source, "secret", args.dir, "--secret-file")
    proof = json.loads((args.dir / "proof.json").read_text(encoding="utf-8"))
    spec = load_spec(spec_file)
    enclosure = design_enclosure(spec, serial=str(proof["serial"]), explained=False)
    if proof["spec_digest"] != enclosure.spec_digest:
        raise InputError(
            "the spec is not the one that this folder was built from.",
            remedy="build anew, or name the right one with --spec.", file=str(spec_file),
        )  # fmt: skip
    return Project(spec=spec, enclosure=enclosure, secret=load_secret(secret_file, make=False))


def _source(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(source_note(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _given(source: dict[str, Any], name: str, folder: Path, option: str) -> Path:
    path = Path(str(source.get(name, "")))
    if not source.get(name) or not path.is_file():
        raise InputError(
            f"the {name} that {folder} was built from is not to be found.",
            remedy=f"name it with {option}.", key=option,
        )  # fmt: skip
    return path


def _draw(project: Project, order: TwinOrder) -> None:
    """Draw the boards that are not drawn yet, here, where an interrupt is heard."""
    from casemate.core.progress import Progress
    from casemate.twin.drawing import boards

    progress = Progress()
    progress.total = len(project.enclosure.tiles)
    try:
        boards(project.enclosure, secret=project.secret, folder=order.boards, say=progress.step)
    finally:
        progress.close()


def _wanted(args: argparse.Namespace, project: Project, far: Far, far_per_year: float) -> Wanted:
    """Return what the controller is to guard: the twin that `far` reads."""
    from casemate.control.local_witness import remote
    from casemate.control.setting import Wanted
    from casemate.core.suites import SUITES

    return Wanted(
        folder=args.dir.resolve(), enclosure=project.enclosure.name,
        serial=project.enclosure.serial,
        faces=frozenset(each.name for each in project.enclosure.faces),
        modules=frozenset((*far.readers, *far.hello["parts"])), far_per_year=far_per_year,
        simulated=True,
        features=int(far.hello["features"]), window_s=float(far.hello["window_s"]),
        anchors=str(far.hello["anchors"]).encode(), keys=args.keys,
        suite=SUITES[args.suite], batch_s=args.batch,
        witnesses=tuple(map(remote, args.witness)),
        tiles=_tiles(project.enclosure), identities=_identities(far.hello),
        tpm_roots=_tpm_roots(args.tpm_roots), boot_pcrs=_boot_pcrs(args.boot_pcrs),
        slow_s=args.late, caveat=run_faces.caveat(project.enclosure, args.faces, args.late),
        unwatched=run_faces.unwatched(project.enclosure, args.faces),
    )  # fmt: skip


def _alone(folder: Path) -> AbstractContextManager[None]:
    """Hold the enclosure before anything of it is touched: a second run spoils nothing."""
    from casemate.core.alone import alone
    from casemate.core.private_folder import private_folder

    return alone(
        private_folder(folder.resolve() / "run"), what="this enclosure runs already.",
        remedy="end that `casemate run` first; `casemate attack` and `permit` reach it as it is.",
    )  # fmt: skip


@contextmanager
def _started(args: argparse.Namespace, project: Project) -> Iterator[tuple[Runtime, Far]]:
    """Start the twin, then all that the controller needs. Children do not hear an interrupt."""
    import multiprocessing

    from casemate.attest.keys.memory import close_to_others
    from casemate.cli import run_twin
    from casemate.control.readers import Far
    from casemate.control.runtime import Runtime
    from casemate.control.setting import Setting

    folder = args.dir.resolve()
    far_per_year = run_twin.SHARE * project.spec.targets.far_per_year
    close_to_others()
    order = run_twin.TwinOrder(
        enclosure=project.enclosure, kind=project.spec.protected.kind, secret=project.secret,
        boards=folder / BOARDS, site=args.site, seed=args.seed, far_per_year=far_per_year,
        desk=folder / DESK, tiles=run_faces.tiles(project.enclosure, args.faces),
        rack=run_payload.made_up(args, project.spec.protected.kind), controller=os.getpid(),
    )  # fmt: skip
    _draw(project, order)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_twin.main, args=(theirs, order), daemon=True)
    with _deaf():
        process.start()
    theirs.close()
    try:
        print("assembling the twin", file=sys.stderr, flush=True)
        far = Far(ours, timeout_s=READY_S)
        run_faces.refuse_others(folder, far)
        wanted = _wanted(args, project, far, far_per_year)
        with _deaf():
            setting = Setting(wanted)
        print("preparing the detectors; after an installation they are compiled, which takes a "
              "minute or two", file=sys.stderr, flush=True)  # fmt: skip
        try:
            runtime = Runtime(setting, far, approve=args.approve, recommission=args.recommission)
        except BaseException:
            setting.close()
            raise
        yield runtime, far
    finally:
        ours.close()
        process.join(3.0)
        if process.is_alive():
            process.kill()


def _tpm_roots(path: Path | None) -> bytes:
    """Return what makers' roots a file has; b"" without one."""
    try:
        return path.read_bytes() if path else b""
    except OSError as error:
        raise InputError(
            f"the makers' roots cannot be read: {error.strerror}.", remedy="name a file of PEM.",
            key="--tpm-roots", file=str(path),
        ) from None  # fmt: skip


def _boot_pcrs(text: str) -> tuple[int, ...]:
    """Return numbers of registers; InputError unless they are those of a machine's boot."""
    found = text.split(",") if text else []
    if not all(each.isascii() and each.isdigit() and int(each) < 10 for each in found):
        raise InputError(
            "these are no registers of a machine's boot.", remedy="write some of 0 to 9, as 0,2,7.",
            key="--boot-pcrs", value=text,
        )  # fmt: skip
    return tuple(sorted({int(each) for each in found}))


def _tiles(enclosure: Enclosure) -> dict[str, frozenset[str]]:
    """Return the boards of each face; an edge strip belongs to both faces that it covers."""
    found: dict[str, set[str]] = {each.name: set() for each in enclosure.faces}
    for tile in enclosure.tiles:
        for face in tile.bend.faces if tile.bend is not None else (tile.face,):
            found[face].add(tile.id)
    return {face: frozenset(tiles) for face, tiles in found.items()}


def _identities(hello: dict[str, Any]) -> tuple[Module, ...]:
    """Return the modules that the readers were delivered with, and their spares."""
    from casemate.attest.reference import Module
    from casemate.core.suites import ED25519, PublicKey

    rows = hello.get("modules", [])
    return tuple(
        Module(name=str(name), key=PublicKey(ED25519, bytes.fromhex(key))) for name, key in rows
    )


@contextmanager
def _deaf() -> Iterator[None]:
    """Start children with interrupts blocked: this process ends them, in order."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _watch(runtime: Runtime, seconds: float | None, shown: Shown, stream: Stream | None) -> None:
    """Answer who asks for the status, show it, and wait for the end."""
    import asyncio

    from casemate.core.local_socket import Desk

    async def until() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        end_s = None if seconds is None else time.monotonic() + seconds
        while not stop.is_set() and runtime.watching.alive:
            if end_s is not None and time.monotonic() >= end_s:
                return
            shown.show(runtime.status())
            if stream is not None and stream.failed:
                runtime.tell(stream.failed, ALERT)
                stream.failed = ""
            try:
                await asyncio.wait_for(stop.wait(), 0.25)
            except TimeoutError:
                continue

    desk = Desk(runtime.setting.wanted.folder / STATUS, runtime.answer)
    try:
        asyncio.run(until())
    finally:
        desk.close()


class Shown:
    """The state on the terminal: one line that changes, or a plain line a change."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._changes = sys.stdout.isatty() and not quiet
        self._last, self._said = "", 0

    def line(self, text: str) -> None:
        """Print a line of its own."""
        if not self._quiet:
            print(("\r\033[K" if self._changes else "") + text, flush=True)

    def show(self, status: dict[str, Any]) -> None:
        """Show the status, and lines that were said since."""
        for number, at_s, level, text in status["said"]:
            if number > self._said:
                self._said = number
                at = time.strftime("%H:%M:%S", time.localtime(at_s))
                self.line(f"{at} {'ALARM ' if level >= SEAL else ''}{text}")
        state = f"{status['state']}  {status['verdict'] or '-'}  keys {status['keys']}"
        if self._changes:
            p99 = status["verdict_latency_p99_s"]
            late = "" if p99 is None else f"  verdict in {1e3 * p99:.1f} ms (p99)"
            sys.stdout.write(
                f"\r\033[K{state}{late}  {status['witnessed_entries']} of "
                f"{status['log_entries']} entries witnessed"
            )
            sys.stdout.flush()
        elif state != self._last and not self._quiet:
            print(state, flush=True)
        self._last = state

    def end(self, status: dict[str, Any]) -> None:
        """Print what was measured."""
        p50, p99 = status["verdict_latency_p50_s"], status["verdict_latency_p99_s"]
        if p50 is not None:
            self.line(
                f"{status['windows']} windows, {status['incomplete_windows']} incomplete; sample "
                f"to verdict {1e3 * p50:.1f} ms (half), {1e3 * p99:.1f} ms (p99); detection "
                f"{status['detection_cpu_share']:.1%} of a core; {status['tokens']} tokens"
            )
        if "payload" in status:
            found = status["payload"]
            self.line(f"{found['stream']}: {found['signed']} items signed, "
                      f"{found['passed']} passed over")  # fmt: skip
