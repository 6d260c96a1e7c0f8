"""Assemble the twin of a design, attack it, and show what every channel reads."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attacks.move import Move, Plan
    from casemate.attacks.potential import Potential
    from casemate.campaigns.judge import Judgement
    from casemate.campaigns.matrix import Matrix
    from casemate.campaigns.play import Played
    from casemate.twin.assembly import Twin
    from casemate.twin.effects import Scene

BOARDS = "boards"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, nargs="?", help="enclosure.toml")
    parser.add_argument(
        "--attack", metavar="MOVE|PLAN", help="a move, a named plan, or a plan's .toml; see --moves"
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], dest="values",
        help="a parameter of the move, with its unit (diameter_m='0.2 mm'); may be repeated",
    )  # fmt: skip
    parser.add_argument("--tile", metavar="TILE", help="board to work on (default: drawn by area)")
    parser.add_argument("--at", metavar="X,Y", help="place on the board, '20 mm,30 mm'")
    parser.add_argument(
        "--near", default="anywhere", help="where a place is drawn: anywhere, rim, terminals, "
        "opening, lap or edge",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of places and noise")
    parser.add_argument("--site", default="", help="rack, camera pole or laboratory")
    parser.add_argument("--matrix", action="store_true", help="every move in every modality")
    parser.add_argument("--places", type=int, default=3, metavar="N", help="of the matrix, a move")
    parser.add_argument("--moves", action="store_true", help="list moves and plans, and stop")
    parser.add_argument("--serial", default="UNIT-0001", help="serial of the unit")
    parser.add_argument("--secret-file", metavar="FILE", type=Path, help="as for build")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path,
                        help="of results and drawn boards (default: out/twin-NAME)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (0: all)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Assemble, attack and show; exit code 1 if no modality of the design saw the attack."""
    if args.moves:
        _print_moves(as_json=args.json)
        return 0
    _refuse(args)
    from casemate.core.canonical import pretty_json
    from casemate.core.progress import Progress
    from casemate.core.whole_file import write_whole

    progress = Progress()
    try:
        twin, output = _twin(args, progress)
        plan, scene, about, potential = _attack(args, twin)
        played, judged = _play(args, twin, scene, progress)
        found = _matrix(args, twin, progress)
        progress.step("writing the page", by=0)
        head = _head(twin)
        document = _document(twin, scene, about, potential, judged, found, args.seed)
        write_whole(output / "twin.json", pretty_json(document))
        write_whole(
            output / "twin.html",
            _page(twin, head, about, potential, plan, scene, played, judged, found),
        )
    finally:
        progress.close()
    if args.json:
        sys.stdout.write(pretty_json(document))
    else:
        rows = [*head, *_lines(about, potential, judged, found), f"page: {output / 'twin.html'}"]
        print("\n".join(rows))
    return 0 if _noticed(judged) else 1


def _refuse(args: argparse.Namespace) -> None:
    if args.spec is None:
        raise InputError(
            "the spec is missing.", remedy="write `casemate twin enclosure.toml`.", key="SPEC"
        )
    if args.values and not args.attack:
        raise InputError("--set needs an attack.", remedy="name one with --attack.", key="--set")
    if args.at and not args.tile:
        raise InputError("--at needs a board.", remedy="name one with --tile.", key="--at")
    for name, least in (("--seed", 0), ("--places", 1), ("--workers", 0)):
        value = getattr(args, name.lstrip("-"))
        if value < least:
            raise InputError(
                f"{name} is below {least}.", remedy=f"give {least} or more.", key=name, value=value
            )


def _twin(args: argparse.Namespace, progress: Any) -> tuple[Twin, Path]:
    from casemate.cli.build import SECRET_FILE, load_secret
    from casemate.design import design_enclosure
    from casemate.spec import load_spec
    from casemate.twin.assembly import assemble

    spec = load_spec(args.spec)
    secret = load_secret(args.secret_file or args.spec.parent / SECRET_FILE,
                         make=args.secret_file is None)  # fmt: skip
    progress.step("choosing modules", by=0)
    enclosure = design_enclosure(spec, serial=args.serial)
    output = args.output or Path("out") / f"twin-{enclosure.name}"
    progress.total = len(enclosure.tiles)
    twin = assemble(
        enclosure, kind=spec.protected.kind, secret=secret, folder=output / BOARDS, site=args.site,
        seed=args.seed, workers=args.workers, say=progress.step,
    )  # fmt: skip
    progress.total = 0
    return twin, output


def _attack(
    args: argparse.Namespace, twin: Twin
) -> tuple[Plan | None, Scene, tuple[str, ...], Potential | None]:
    """Return (where, what, in words, what it takes) of the attack that was asked for."""
    import numpy as np

    from casemate.attacks.catalogue import MOVES, move
    from casemate.attacks.plan_file import load_plan, named_plan, named_plans

    if not args.attack:
        return None, (), (), None
    generator = np.random.default_rng([args.seed, 0])
    plans = named_plans()
    if args.attack.endswith(".toml") or args.attack in plans:
        given = Path(args.attack)
        attack = load_plan(given) if given.suffix == ".toml" else named_plan(args.attack)
        if args.values or args.tile:
            raise InputError(
                "a plan has its own values and places.", remedy="write them in the plan.",
                key="--set" if args.values else "--tile",
            )  # fmt: skip
        where = attack.placed(twin.enclosure, generator)
        steps = ", ".join(step.move.id for step in attack.steps)
        used = where[attack.steps[0].place]
        words = (f"plan {attack.id}: {attack.about} ({steps})", _where(used))
        return used, attack.scene(where), words, attack.potential
    known = [*(each.id for each in MOVES), *plans]
    if args.attack not in known:
        _near(args.attack, known)
    chosen = move(args.attack)
    values = chosen.checked(_values(args.values, chosen))
    used = _place(args, twin, generator)
    shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    about = (f"{chosen.id}: {chosen.about}", f"values: {shown}", _where(used))
    return used, chosen.scene(used, values), about, chosen.potential


def _near(given: str, known: list[str]) -> None:
    import difflib

    near = difflib.get_close_matches(given, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"there is no move or plan {given!r}.",
        remedy=f"{hint}`casemate twin --moves` lists them.", key="--attack",
    )  # fmt: skip


def _where(plan: Plan) -> str:
    x, y = (1e3 * value for value in plan.place)
    return f"on board {plan.tile.id} at {x:.3f}, {y:.3f} mm from its lower left, from outside"


def _values(given: list[str], chosen: Move) -> dict[str, float]:
    from casemate.attacks.plan_file import value_of

    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(
                "a value needs a name.", remedy="write NAME=VALUE.", key="--set", value=text
            )
        number: object = value
        with suppress(ValueError):
            number = float(value)
        found[name.strip()] = value_of(chosen, name.strip(), number, "--set")
    return found


def _place(args: argparse.Namespace, twin: Twin, generator: Any) -> Plan:
    from casemate.attacks.places import NEAR, plan_at, plan_drawn
    from casemate.core.units import QuantityError, parse_quantity

    if args.near not in NEAR:
        raise InputError(
            f"places are not drawn {args.near!r}.", remedy=f"write one of {', '.join(NEAR)}.",
            key="--near",
        )  # fmt: skip
    if args.at is None:
        return plan_drawn(twin.enclosure, generator, near=args.near, tile=args.tile)
    try:
        x_m, y_m = (parse_quantity(part.strip(), "m") for part in args.at.split(","))
    except (QuantityError, ValueError) as error:
        raise InputError(
            f"the place cannot be read: {error}.", remedy="write --at '20 mm,30 mm'.", key="--at",
            value=args.at,
        ) from None  # fmt: skip
    return plan_at(twin.enclosure, args.tile, (x_m, y_m))


def _play(
    args: argparse.Namespace, twin: Twin, scene: Scene, progress: Any
) -> tuple[tuple[Played, ...], tuple[Judgement, ...]]:
    from casemate.campaigns.judge import judge
    from casemate.campaigns.play import play

    if args.matrix and not args.attack:
        return (), ()
    played = play(twin, scene, seed=args.seed, say=lambda text: progress.step(text, by=0))
    return played, tuple(judge(each, scene) for each in played)


def _matrix(args: argparse.Namespace, twin: Twin, progress: Any) -> Matrix | None:
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


def _lines(
    about: tuple[str, ...],
    potential: Potential | None,
    judged: tuple[Judgement, ...],
    found: Matrix | None,
) -> list[str]:
    from casemate.campaigns.matrix import matrix_markdown
    from casemate.campaigns.show import lines, potential_line

    rows: list[str] = list(about)
    if potential is not None:
        rows.append(potential_line(potential))
    if judged:
        rows += ["", *lines(judged), ""]
    if found is not None:
        rows += ["", matrix_markdown(found)]
    return rows


def _page(
    twin: Twin,
    head: list[str],
    about: tuple[str, ...],
    potential: Potential | None,
    plan: Plan | None,
    scene: Scene,
    played: tuple[Played, ...],
    judged: tuple[Judgement, ...],
    found: Matrix | None,
) -> str:
    from casemate.campaigns.page import page
    from casemate.campaigns.show import potential_line

    takes = () if potential is None else (potential_line(potential),)
    return page(
        twin, title=f"Twin of {twin.enclosure.name}", about=(*head, *about, *takes), plan=plan,
        scene=scene, played=played, judged=judged, matrix=found,
    )  # fmt: skip


def _document(
    twin: Twin,
    scene: Scene,
    about: tuple[str, ...],
    potential: Potential | None,
    judged: tuple[Judgement, ...],
    found: Matrix | None,
    seed: int,
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
        "attack": list(about),
        "attack_potential": None if potential is None else potential.points,
        "effects": len(scene),
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


def _print_moves(*, as_json: bool) -> None:
    from casemate.attacks.catalogue import MOVES
    from casemate.attacks.plan_file import named_plan, named_plans

    plans = {name: named_plan(name) for name in named_plans()}
    if as_json:
        from casemate.core.canonical import pretty_json

        rows = [
            {"id": each.id, "goal": each.goal, "about": each.about,
             "attack_potential": each.potential.points,
             "parameters": {p.name: [p.low, p.default, p.high, p.unit] for p in each.parameters}}
            for each in MOVES
        ]  # fmt: skip
        plan_rows = [{"id": name, "about": plan.about} for name, plan in plans.items()]
        sys.stdout.write(pretty_json({"moves": rows, "plans": plan_rows}))
        return
    for goal in ("intrude", "discredit"):
        print(f"moves to {goal}:")
        for each in MOVES:
            if each.goal == goal:
                print(f"  {each.id:20} {each.about}")
    print("plans:")
    for name, plan in plans.items():
        print(f"  {name:20} {plan.about}")
