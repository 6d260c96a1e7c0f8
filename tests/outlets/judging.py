"""What an outsider was asked, and whether it agreed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Judge:
    """An outsider. asked: in a few words what it judges. held: what agreed. wrong: what did not."""

    name: str
    version: str
    asked: str
    held: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def hold(self, what: str, holds: object, seen: object = "") -> None:
        """Count one check. seen: what the outsider said, for the case that it does not hold."""
        if holds:
            self.held.append(what)
        else:
            self.wrong.append(f"{what}: {seen!r}"[:600])

    def equal(self, what: str, seen: object, wanted: object) -> None:
        """Count one check of something that has to be equal."""
        self.hold(what, seen == wanted, f"{seen!r} in place of {wanted!r}")

    @property
    def line(self) -> str:
        """Return one line for people."""
        return f"{self.name} {self.version}: {len(self.held)} hold, {len(self.wrong)} do not"
