"""What a permit opens and detection leaves out: faces and modules, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Faces and modules. An empty one is nothing, never everything."""

    faces: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()

    def __le__(self, other: Scope) -> bool:
        """Return whether all of this lies within `other`."""
        return self.faces <= other.faces and self.modules <= other.modules

    def __bool__(self) -> bool:
        """Return whether it names anything."""
        return bool(self.faces or self.modules)


NOTHING = Scope()
