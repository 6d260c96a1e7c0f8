"""All figures of the red team beyond trials on boards, as `casemate prove` wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from casemate.campaigns.abstract import BOARD_MODALITIES, Attack, Target, Told, target_of
from casemate.campaigns.copies import Weakness
from casemate.campaigns.curves import ONE, delay_curves, patience, roc
from casemate.campaigns.goals_search import Corner, goals, mapped, sweeps
from casemate.campaigns.ready import Ready
from casemate.case.results import Atlas, Plot
from casemate.detect.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """plots: curves. atlas: None if no board is sensed. corners: how far each goal came.

    highest: the greatest level of response that injection alone reached in all that was tried, with
    the number of such attacks, and how many of them were called TAMPER: beyond sealing and to
    TAMPER it must never come.
    """

    plots: tuple[Plot, ...]
    atlas: Atlas | None
    corners: tuple[Corner, ...]
    highest: int
    injected: int
    convicted: int
    patience: tuple[tuple[str, float], ...] = ()
    """Modality, and the largest displacement of one feature that patience hid, over U_env."""


def red_team_figures(
    ready: Ready,
    *,
    seed: int,
    rerun: str,
    learns: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Return the figures for one board of median size. Same seed, same figures.

    rerun: the command that gives them again. learns: detectors whose baseline follows whatever
    comes, a planted weakness. say: told what is being done.
    """
    names = [each for each in BOARD_MODALITIES if each in ready.names]
    targets = [target_of(ready, each) for each in names]
    plots: list[Plot] = []
    hid: list[tuple[str, float]] = []
    for target in targets:
        say(f"curves of {target.anchor.modality} on {target.tile}")
        patient = patience(target, seed=seed, rerun=rerun, weakness=Weakness(learns=learns))
        one = next(each for each in patient.series if each.name == ONE)
        hid.append((target.anchor.modality, max(one.y) / target.bound))
        plots += [
            delay_curves(target, seed=seed, rerun=rerun),
            roc(target, seed=seed, rerun=rerun),
            patient,
        ]
    if not targets:
        return Figures(plots=(), atlas=None, corners=(), highest=0, injected=0, convicted=0)
    main: Target = targets[-1].lean()
    say("three goals searched")
    plot, corners, tried = goals(main, seed=seed, rerun=rerun)
    say("power and time swept")
    swept, ends = sweeps(main, seed=seed, rerun=rerun)
    say("an atlas of attacks")
    alone = injected_alone(tried)
    return Figures(
        plots=(*plots, plot, *swept),
        atlas=mapped(main, seed=seed, rerun=rerun),
        corners=(*corners, *ends),
        highest=max((told.level for _, told in alone), default=0),
        injected=len(alone),
        convicted=sum(told.verdict is Verdict.TAMPER for _, told in alone),
        patience=tuple(hid),
    )


def injected_alone(tried: tuple[tuple[Attack, Told], ...]) -> tuple[tuple[Attack, Told], ...]:
    """Return those that displaced nothing."""
    return tuple(row for row in tried if row[0].size == 0.0)
