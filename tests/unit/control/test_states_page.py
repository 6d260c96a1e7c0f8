"""docs/formats/state-machine.md has the times of the code; its ways are in test_all_machines."""

from __future__ import annotations

from pathlib import Path

from casemate.control.states import Limits

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "state-machine.md"


def test_the_times_are_those_of_the_code() -> None:
    """Each limit with its figure."""
    text = PAGE.read_text(encoding="utf-8")
    limits = Limits()
    for name, figure in (
        ("stale_s", f"{limits.stale_s:g}"),
        ("grace_s", f"{limits.grace_s:g}"),
        ("margin_s", f"{limits.margin_s:g}"),
        ("alert_s", f"{limits.alert_s:g}"),
        ("tries", f"{limits.tries} wrong tokens"),
        ("longest_s", f"{limits.longest_s / 86_400:g} days"),
    ):
        assert f"| `{name}` | {figure} |" in text
