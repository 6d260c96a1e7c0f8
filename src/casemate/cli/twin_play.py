"""Assemble the twin of a design, attack it, and show what every channel reads."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.cli import twin_attack
from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attacks.move import Plan
    from casemate.attacks.plans import AttackPlan
    from casemate.attacks.potential import Potential
    from casemate.campaigns.judge import Judgement
    from casemate.campaigns.matrix import Matrix
    from casemate.campaigns.play import Played
    from casemate.core.progress import Progress
    from casemate.design.enclosure import Enclosure
    from casemate.spec.model import EnclosureSpec
    from casemate.twin.assembly import Twin
    from casemate.twin.effects import Scene

BOARDS = "boards"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, nargs="?", help="enclosure.toml")
    twin_attack.configure(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of places and noise")
    parser.add_argument("--site", default="", help="rack, camera pole or laboratory")
    parser.add_argument("--matrix", action="store_true", help="every move in every modality")
    parser.add_argument("--places", type=int, default=3, metavar="N", help="of the matrix, a move")
    parser.add_argument("--serial", default="UNIT-0001", help="serial of the unit")
    parser.add_argument("--secret-file", metavar="FILE", type=Path, help="as for build")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path,
                        help="of results and drawn boards (default: out/twin-NAME)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (0: all)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Assemble, attack and show; exit code 1 if no modality of the design saw the attack."""
    if args.moves:
        twin_attack.print_moves(as_json=args.json)
        return 0
    _refuse(args)
    attack = twin_attack.asked(args)
    from casemate.core.canonical import pretty_json
    from casemate.core.progress import Progress
    from casemate.core.whole_file import write_whole

    progress = Progress()
    try:
        spec, enclosure = _designed(args, progress)
        done = _carried_out(attack, enclosure, args.seed)
        twin, output = _assembled(args, spec, enclosure, progress)
        played, judged = _play(args, twin, done.scene, progress)
        found = _matrix(args, twin, progress)
        progress.step("writing the page", by=0)
        document = _document(twin, done, judged, found, args.seed)
        page = _page(twin, done, played, judged, found)
        write_whole(output / "twin.json", pretty_json(document))
        write_whole(output / "twin.html", page)
    finally:
        progress.close()
    if args.json:
        sys.stdout.write(pretty_json(document))
    else:
        rows = [*_head(twin), *_lines(done, judged, found), f"page: {output / 'twin.html'}"]
        print("\n".join(rows))
    return 0 if _noticed(judged) else 1


def _refuse(args: argparse.Namespace) -> None:
    if args.spec is None:
        raise InputError(
            "the spec is missing.", remedy="write `casemate twin enclosure.toml`.", key="SPEC"
        )
    for name, least in (("--seed", 0), ("--places", 1), ("--workers", 0)):
        value = getattr(args, name.lstrip("-"))
        if value < least:
            raise InputError(
                f"{name} is below {least}.", remedy=f"give {least} or more.", key=name, value=value
            )
    if args.site:
        from casemate.twin.environment_sites import SITES

        if args.site not in SITES:
            raise InputError(
                f"there is no site {args.site!r}.", remedy=f"sites: {', '.join(SITES)}.",
                key="--site",
            )  # fmt: skip


def _designed(args: argparse.Namespace, progress: Progress) -> tuple[EnclosureSpec, Enclosure]:
    from casemate.design import design_enclosure
    from casemate.spec import load_spec

    spec = load_spec(args.spec)
    progress.step("choosing modules", by=0)
    return spec, design_enclosure(spec, serial=args.serial, explained=False)


def _assembled(
    args: argparse.Namespace, spec: EnclosureSpec, enclosure: Enclosure, progress: Progress
) -> tuple[Twin, Path]:
    from casemate.cli.build import SECRET_FILE, load_secret
    from casemate.twin.assembly import assemble

    secret = load_secret(args.secret_file or args.spec.parent / SECRET_FILE,
                         make=args.secret_file is None)  # fmt: skip
    output = args.output or Path("out") / f"twin-{enclosure.name}"
    progress.total = len(enclosure.tiles)
    twin = assemble(
        enclosure, kind=spec.protected.kind, secret=secret, folder=output / BOARDS, site=args.site,
        seed=args.seed, workers=args.workers, say=progress.step,
    )  # fmt: skip
    progress.total = 0
    return twin, output


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An attack on a twin. plan: where its first step works, None without an attack."""

    plan: Plan | None
    scene: Scene
    about: tuple[str, ...]
    potential: Potential | None


def _carried_out(attack: AttackPlan | None, enclosure: Enclosure, seed: int) -> Done:
    """Return what an attack does to a design; places that are not given are drawn."""
    import numpy as np

    if attack is None:
        return Done(plan=None, scene=(), about=(), potential=None)
    where = attack.placed(enclosure, np.random.default_rng([seed, 0]))
    return Done(
        plan=where[attack.steps[0].place],
        scene=attack.scene(where),
        about=twin_attack.in_words(attack, where),
        potential=attack.potential,
    )


def _play(
    args: argparse.Namespace, twin: Twin, scene: Scene, progress: Progress
) -> tuple[tuple[Played, ...], tuple[Judgement, ...]]:
    from casemate.campaigns.judge import judge
    from casemate.campaigns.play import play

    if args.matrix and not args.attack:
        return (), ()
    played = play(twin, scene, seed=args.seed, say=lambda text: progress.step(text, by=0))
    return played, tuple(judge(each, scene) for each in played)


def _matrix(args: argparse.Namespace, twin: Twin, progress: Progress) -> Matrix | None:
    if not args.matrix:
        return None
    from casemate.attacks.catalogue import MOVES
    from casemate.campaigns.matrix import matrix

    progress.done, progress.total = 0, len(MOVES) * args.places
    return matrix(twin, seed=args.seed, places=args.places, say=progress.step)


def _head(twin: Twin) -> list[str]:
    from casemate.sensors.modalities import fitted_to

    nets = sum(len(board.nets) for board in twin.boards.values())
    return [
        f"{twin.enclosure.name} ({twin.enclosure.serial}), simulated on the site "
        f"{twin.site.name!r}: {len(twin.boards)} boards, {nets} nets",
        f"modalities of this design: {', '.join(fitted_to(twin))}",
    ]


def _lines(done: Done, judged: tuple[Judgement, ...], found: Matrix | None) -> list[str]:
    from casemate.campaigns.matrix import matrix_markdown
    from casemate.campaigns.show import lines, potential_line

    rows: list[str] = list(done.about)
    if done.potential is not None:
        rows.append(potential_line(done.potential))
    if judged:
        rows += ["", *lines(judged), ""]
    if found is not None:
        rows += ["", matrix_markdown(found)]
    return rows


def _page(
    twin: Twin,
    done: Done,
    played: tuple[Played, ...],
    judged: tuple[Judgement, ...],
    found: Matrix | None,
) -> str:
    from casemate.campaigns.page import page
    from casemate.campaigns.show import potential_line

    takes = () if done.potential is None else (potential_line(done.potential),)
    return page(
        twin, title=f"Twin of {twin.enclosure.name}", about=(*_head(twin), *done.about, *takes),
        plan=done.plan, scene=done.scene, played=played, judged=judged, matrix=found,
    )  # fmt: skip


def _document(
    twin: Twin, done: Done, judged: tuple[Judgement, ...], found: Matrix | None, seed: int
) -> dict[str, Any]:
    from casemate.campaigns.matrix import matrix_json
    from casemate.campaigns.show import as_json
    from casemate.sensors.modalities import fitted_to

    return {
        "format": "casemate/twin/1",
        "name": twin.enclosure.name,
        "serial": twin.enclosure.serial,
        "spec_digest": twin.enclosure.spec_digest,
        "evidence": "simulation",
        "site": twin.site.name,
        "seed": seed,
        "boards": len(twin.boards),
        "modalities": list(fitted_to(twin)),
        "attack": list(done.about),
        "attack_potential": None if done.potential is None else done.potential.points,
        "effects": len(done.scene),
        "noticed": _noticed(judged),
        "seen": as_json(judged),
        "matrix": None if found is None else matrix_json(found),
    }


def _noticed(judged: tuple[Judgement, ...]) -> bool:
    """Return whether a modality of the design saw anything, or nothing was done."""
    acting = any(part.name != "before" for each in judged for part in each.phases)
    return not acting or any(
        each.in_design and each.sight in ("sees", "unheard") for each in judged
    )
