"""A small enclosure that runs, and the verifier's word on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from small_enclosure import NAMES, SmallFar, pretty, wait_for, wanted

from casemate.attest.reference import load
from casemate.attest.token import Token, peek
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise


class Live:
    """A runtime with its readers."""

    def __init__(
        self, folder: Path, *, caveat: str = "", unwatched: tuple[str, ...] = (),
        parts: tuple[str, ...] = (), **options: Any,
    ) -> None:  # fmt: skip
        self.folder, self.far = folder, SmallFar()
        given = {"approve": False, "recommission": False, **options}
        modules = frozenset((*NAMES, *parts))
        asked = wanted(folder, caveat=caveat, unwatched=unwatched, modules=modules)
        self.runtime = Runtime(Setting(asked), self.far, **given)  # type: ignore[arg-type]
        self.runtime.start()

    def state(self) -> str:
        return str(self.runtime.status()["state"])

    def reaches(self, state: str) -> None:
        assert wait_for(lambda: self.state() == state), pretty(self.runtime.status())

    def close(self) -> None:
        self.runtime.close()


def tokens(folder: Path) -> list[Token]:
    """What an enclosure has said: what is in the log, and what waits for it."""
    bundle = read_bundle(folder / "evidence")
    return [peek(each)[1] for each in (*bundle.entries, *bundle.pending)]


def judged(folder: Path, evidence: str = "evidence") -> Any:
    trust = folder / "trust"
    return appraise(
        read_bundle(folder / evidence),
        load((trust / "reference.json").read_bytes()),
        parse((trust / "policy").read_bytes()),
        now_s=int(time.time()),
    )
