"""Where a running enclosure and its twin answer, in the enclosure's folder."""

from __future__ import annotations

from pathlib import Path

DESK, STATUS = Path("run") / "twin.sock", Path("run") / "control.sock"
"""Of the twin, where moves are asked for; of the controller."""
