"""Verdicts for the eye: a sign, a word and a colour, never a colour alone."""

from __future__ import annotations

from html import escape

from casemate.case.results import Verdict

SIGNS: dict[Verdict, str] = {"met": "✓", "not met": "✗", "in doubt": "?"}
_TONES: dict[Verdict, str] = {"met": "met", "not met": "unmet", "in doubt": "doubtful"}


def sign(verdict: Verdict | None) -> str:
    """Return the sign of a verdict."""
    return SIGNS[verdict] if verdict else ""


def tone(verdict: Verdict | None) -> str:
    """Return the CSS class of a verdict."""
    return _TONES[verdict] if verdict else "plain"


def badge(verdict: Verdict) -> str:
    """Return the verdict as markup: sign and word."""
    return f'<span class="badge {tone(verdict)}">{sign(verdict)} {verdict}</span>'


def command(words: str) -> str:
    """Return a command as markup that breaks between its words only."""
    return "<code>" + " ".join(f"<span>{escape(each)}</span>" for each in words.split()) + "</code>"
