"""What the verifier has found, worst first. The kinds that there are: findings.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources

SEVERITIES = ("alarm", "unknown", "warning", "note")
"""Worst first."""
CLAIMS = ("instance-identity", "configuration", "executables", "hardware", "sourced-data")
"""Claims of the trustworthiness vector (AR4SI) that a finding can bear on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of finding. claim: of the trustworthiness vector it bears on. remedy: what to do."""

    id: str
    severity: str
    claim: str
    meaning: str
    remedy: str


def _kinds() -> Iterator[Kind]:
    text = resources.files("casemate.verify").joinpath("findings.toml").read_text("utf-8")
    for group in tomllib.loads(text)["group"]:
        for id_, meaning in group.pop("kinds").items():
            yield Kind(id=id_, meaning=meaning, **group)


KINDS = {kind.id: kind for kind in _kinds()}
"""By id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something found, with its first token (None: of the whole) and time, and how often."""

    id: str
    severity: str
    claim: str
    remedy: str
    what: str
    token: int | None
    at_s: int | None
    last_token: int | None = None
    times: int = 0


class Notebook:
    """Findings as they come. Equal ones of one kind and subject become one that counts them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}
        self.alarms = 0  # but for tampering: that it says so itself is no fault of the evidence
        self._token: int | None = None
        self._at_s: int | None = None

    def place(self, token: int | None, at_s: int | None = None) -> None:
        """Say which token, at which time, the next findings are about; None: the whole."""
        self._token, self._at_s = token, at_s

    def add(self, id_: str, detail: str = "", *, subject: str = "") -> None:
        """Note a finding of a kind (KeyError if there is none). subject: what tells it apart."""
        kind = KINDS[id_]
        self.alarms += kind.severity == "alarm" and id_ != "state.tampered"
        shown = detail if detail.isprintable() else ascii(detail)  # a terminal would obey it
        new = Finding(
            id=id_, severity=kind.severity, claim=kind.claim, remedy=kind.remedy,
            what=f"{kind.meaning}: {shown}" if detail else kind.meaning,
            token=self._token, at_s=self._at_s,
        )  # fmt: skip
        found = self._found.get((id_, subject), new)
        self._found[id_, subject] = replace(found, times=found.times + 1, last_token=self._token)

    def findings(self) -> tuple[Finding, ...]:
        """Return all, worst first, then in the order of the log."""
        found = sorted(self._found.values(), key=lambda x: -1 if x.token is None else x.token)
        return tuple(sorted(found, key=lambda x: SEVERITIES.index(x.severity)))
