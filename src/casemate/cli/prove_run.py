"""What `prove` does, step by step, in the folder that it keeps: build, twin, campaign, case."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from casemate.campaigns.campaign import Campaign, Sizes, Trials3
from casemate.campaigns.case_results import Found, Reruns, case_results
from casemate.campaigns.engines.local import LocalPool
from casemate.campaigns.engines.run import Engine
from casemate.campaigns.engines.store import Store
from casemate.campaigns.engines.table import write_table
from casemate.campaigns.far_results import far_results
from casemate.campaigns.quiet import quiet
from casemate.campaigns.ready import Ready, ready
from casemate.campaigns.work import Setup
from casemate.case import case_document, case_html, oscal_document, sarif_document
from casemate.case.results import FarResult, Results
from casemate.cli.build import SECRET_FILE, load_secret, note_source
from casemate.core.canonical import digest, pretty_json
from casemate.core.errors import InputError
from casemate.core.files import replaced_folder
from casemate.core.progress import Progress
from casemate.core.randomness import commitment
from casemate.core.whole_file import write_whole
from casemate.design import design_enclosure
from casemate.design.enclosure import Enclosure
from casemate.detect.bank import SILENT
from casemate.fabricate.bundle import BundleOptions, judged, write_bundle
from casemate.sensors.modalities import MODALITIES
from casemate.spec import load_spec
from casemate.spec.model import EnclosureSpec
from casemate.twin.assembly import assemble
from casemate.twin.environment_sites import SITES

WORK = ".work"
"""In the output folder: layouts for the twin and results of trials, so that nothing is done twice.

As secret as the manufacturing files beside it."""
PRISTINE = "report-build.html"
SHARE = 0.9
"""Of the spec's false alarms that keyed evidence may use; surroundings have the rest."""
BARE_RIM_M = 2e-3
CUT_SEEN_BY = "loop_resistance"
"""A cut opens a loop; the other modalities are slower."""
QUIET_S, QUIET_BOARDS = {"full": 600.0, "quick": 120.0, "glance": 20.0}, 6
SIZES = {
    "full": Sizes(),
    "quick": Sizes(screen=6, claim=30, tool=300, vary=4, noise=3, budget=0),
    "glance": Sizes(screen=2, claim=3, tool=6, vary=1, noise=1, budget=0),
}
CUTS = {"full": 2995, "quick": 1000, "glance": 400}


def proving(args: argparse.Namespace, progress: Progress) -> Proving:
    """Return a run of `prove` that is ready to work: the spec read, the enclosure built."""
    spec = load_spec(args.spec)
    known = [each.id for each in MODALITIES]
    for name in args.without:
        if name not in known:
            raise InputError(
                f"there is no modality {name!r}.", remedy=f"modalities: {', '.join(known)}.",
                key="--without",
            )  # fmt: skip
    if args.site and args.site not in SITES:
        raise InputError(
            f"there is no site {args.site!r}.", remedy=f"sites: {', '.join(SITES)}.", key="--site"
        )
    secret = load_secret(args.secret_file or args.spec.parent / SECRET_FILE,
                         make=args.secret_file is None)  # fmt: skip
    progress.step("choosing modules", by=0)
    enclosure = design_enclosure(spec, serial=args.serial, explained=False)
    told = {
        "code": code_digest(),
        "design": repr(enclosure),
        "commitment": commitment(secret, args.serial),
    }
    work = Proving(args=args, spec=spec, secret=secret, enclosure=enclosure, progress=progress,
                   key=digest(told))  # fmt: skip
    return replace(work, enclosure=work.built())


@dataclass(frozen=True, kw_only=True)
class Proving:
    """One run of `prove` on one unit. key: digest of what the folder's build depends on."""

    args: argparse.Namespace
    spec: EnclosureSpec
    secret: bytes
    enclosure: Enclosure
    progress: Progress
    key: str

    @property
    def folder(self) -> Path:
        """Return the output folder."""
        return Path(self.args.output)

    def built(self) -> Enclosure:
        """Build, unless the folder holds this very build; return the enclosure with its targets."""
        if self._held_key() != self.key:
            if self.args.rerun:
                raise InputError(
                    "the folder holds no case of this spec, secret and code.",
                    remedy="run `casemate prove` without --rerun first.", file=str(self.folder),
                )  # fmt: skip
            with replaced_folder(self.folder) as folder:
                options = BundleOptions(
                    serial=self.args.serial, secret=self.secret, workers=self.args.workers,
                    meshes=folder / WORK / "boards",
                )  # fmt: skip
                explained = design_enclosure(self.spec, serial=self.args.serial)
                write_bundle(folder, explained, options, self.progress)
                report = (folder / "report.html").read_text(encoding="utf-8")
                (folder / WORK / PRISTINE).write_text(report, encoding="utf-8")
                write_whole(folder / WORK / "build.json", pretty_json({"key": self.key}))
            note_source(self.args)
        return judged(self.enclosure, self.proof)

    def _held_key(self) -> str:
        """Return the key of the build that the folder holds, "" if it holds none that is whole."""
        try:
            held = json.loads((self.folder / WORK / "build.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return ""
        return str(held.get("key", "")) if isinstance(held, dict) else ""

    @property
    def proof(self) -> dict[str, Any]:
        """Return proof.json."""
        text = (self.folder / "proof.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def setup(self) -> Setup:
        """Return what loads the twin in a worker."""
        weak = self.args.weaken
        return Setup(
            enclosure=self.enclosure,
            kind=self.spec.protected.kind,
            secret=self.secret,
            folder=self.folder.resolve() / WORK / "boards",
            far_per_year=SHARE * self.spec.targets.far_per_year,
            tool_m=self.spec.targets.tool_m,
            site=self.args.site,
            without=tuple(sorted(self.args.without)),
            leaked="leaked-challenge" in weak,
            learns="adaptive-baseline" in weak,
            bare_rim_m=BARE_RIM_M if "bare-rim" in weak else 0.0,
        )

    @property
    def context(self) -> str:
        """Return the digest of all that a trial's outcome depends on, but for the job itself."""
        setup = self.setup
        told = {
            "build": self.key,
            "site": setup.site,
            "unit": setup.unit_seed,
            "far": repr(setup.far_per_year),
            "tool": repr(setup.tool_m),
            "without": list(setup.without),
            "weak": [setup.leaked, setup.learns, repr(setup.bare_rim_m)],
        }
        return digest(told)

    @cached_property
    def ready(self) -> Ready:
        """Return the twin made ready in this process."""
        setup = self.setup
        self.progress.step("loading the twin", by=0)
        twin = assemble(
            self.enclosure, kind=setup.kind, secret=self.secret, folder=setup.folder,
            site=setup.site, seed=setup.unit_seed, workers=self.args.workers,
            say=self.progress.step,
        )  # fmt: skip
        return ready(twin, far_per_year=setup.far_per_year, without=setup.without)

    def engine(self) -> AbstractContextManager[Engine]:
        """Return what carries trials out."""
        if self.args.dask:
            from casemate.campaigns.engines.dask import Dask

            return nullcontext(Dask(address=self.args.dask))
        return LocalPool(self.args.workers)

    def campaign(self, engine: Engine, store: Store) -> Campaign:
        """Return the campaign of this run."""
        return Campaign(
            setup=self.setup, store=store, engine=engine, sizes=SIZES[self.args.effort],
            seed=self.args.seed, say=lambda text: self.progress.step(text, by=0),
        )  # fmt: skip

    def case(self) -> Results:
        """Carry out everything and return the results."""
        found = self.ready  # boards are summed up once, before workers load them
        with self.engine() as engine:
            store = Store(folder=self.folder / WORK / "campaign", context=self.context)
            trials = self.campaign(engine, store).carry_out()
        write_table(
            self.folder / "campaign.parquet", [row for each in trials for row in each.all],
            context=self.context,
        )  # fmt: skip
        return self._argued(found, trials)

    def _argued(self, found: Ready, trials: tuple[Trials3, ...]) -> Results:
        from casemate.campaigns.red_team import red_team_figures

        self.progress.step("curves and atlas", by=0)
        figures = red_team_figures(
            found, seed=self.args.seed, rerun=self.command("red-team"), learns=self.setup.learns,
            say=lambda text: self.progress.step(text, by=0),
        )  # fmt: skip
        return case_results(
            Found(
                spec=self.spec,
                enclosure=self.enclosure,
                proof=self.proof,
                trials=trials,
                far=self.false_alarms(),
                reaction_s=self.reaction(),
                red_team=figures,
                seed=self.args.seed,
                date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                weakened=(*self.args.weaken, *(f"without {name}" for name in self.setup.without)),
            ),
            self.reruns(),
        )

    def false_alarms(self) -> tuple[FarResult, ...]:
        """Return all causes of false alarms."""
        self.progress.step("quiet hours", by=0)
        seen = quiet(
            self.ready, seconds=QUIET_S[self.args.effort], boards=QUIET_BOARDS, seed=self.args.seed
        )
        return far_results(
            self.ready.policy, seen, confidence=self.spec.targets.pod_confidence,
            seed=self.args.seed, rerun=self.command("false-alarms"),
            anchors=tuple(each.anchor for each in self.ready.volume),
        )  # fmt: skip

    def reaction(self) -> tuple[float, ...]:
        """Return delays from a cut net to TAMPER; empty if no keyed modality is left."""
        from casemate.campaigns.reaction import reaction_s

        chip_s = next(
            (
                each.anchor.chip_s
                for each in self.ready.sensed((next(iter(self.ready.twin.boards)),))
                if each.anchor.modality == CUT_SEEN_BY
            ),
            None,
        )
        if chip_s is None or self.setup.leaked:
            return ()
        delays = reaction_s(
            self.ready.policy.features, chip_s, self.setup.far_per_year, SILENT,
            generator=np.random.default_rng([self.args.seed, 77]), runs=CUTS[self.args.effort],
        )  # fmt: skip
        return tuple(float(each) for each in delays)

    def command(self, part: str) -> str:
        """Return the command that gives a part's figures again."""
        args = self.args
        words = ["casemate", "prove", str(args.spec), "-o", str(args.output)]
        for name, standard in (("serial", "UNIT-0001"), ("seed", 1), ("site", ""),
                               ("effort", "full")):  # fmt: skip
            if getattr(args, name) != standard:
                words += [f"--{name}", str(getattr(args, name))]
        if args.secret_file:
            words += ["--secret-file", str(args.secret_file)]
        words += [word for name in args.without for word in ("--without", name)]
        words += [word for name in args.weaken for word in ("--weaken", name)]
        return shlex.join([*words, "--rerun", part])

    def reruns(self) -> Reruns:
        """Return the commands that the case names."""
        args = self.args
        build = ["casemate", "build", str(args.spec), "-o", f"{args.output}-again"]
        if args.serial != "UNIT-0001":
            build += ["--serial", args.serial]
        return Reruns(
            build=shlex.join(build),
            move=self.command("MOVE").replace("MOVE", "{}"),
            far=self.command("false-alarms"),
            reaction=self.command("reaction"),
            red_team=self.command("red-team"),
        )

    def write(self, results: Results) -> tuple[Path, ...]:
        """Write case.json, its exports and the report with the case; return their paths."""
        names = {
            "case.json": pretty_json(case_document(results)),
            "oscal.json": pretty_json(oscal_document(results)),
            "case.sarif": pretty_json(sarif_document(results)),
            "report.html": self._report(results),
        }
        for name, text in names.items():
            write_whole(self.folder / name, text)
        return tuple(self.folder / name for name in ("report.html", "case.json",
                                                     "campaign.parquet"))  # fmt: skip

    def _report(self, results: Results) -> str:
        text = (self.folder / WORK / PRISTINE).read_text(encoding="utf-8")
        link = '<li><a href="#doubts">'
        text = text.replace(link, f'<li><a href="#case">Security case</a></li>{link}', 1)
        head, mark, rest = text.partition("<main>")
        return head + mark + case_html(results) + rest


def code_digest() -> str:
    """Return the digest of the code that builds, plays and judges."""
    total = hashlib.sha256()
    root = resources.files("casemate")
    rooms = ("core", "spec", "modules", "design", "mesh", "twin", "sensors", "attacks", "detect",
             "campaigns", "fabricate")  # fmt: skip
    for room in rooms:
        folder = Path(str(root.joinpath(room)))
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".toml", ".npz"):
                total.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return total.hexdigest()
