"""Power cut: no supply until hold-up is empty, or with the cells cut off as well."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Scene, SupplyDip, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    off_s = START_S + values["lead_s"]
    back_s = off_s + values["outage_s"]
    sag = Timed(effect=SupplyDip(share=values["sag"]), start_s=START_S, stop_s=off_s)
    cut = SupplyDip(share=0.0, held=values["cells"] == 0.0)
    return (sag, Timed(effect=cut, start_s=off_s, stop_s=back_s))


POWER_CUT = Move(
    id="power-cut",
    name="power cut",
    goal="intrude",
    about="the supply sags, then stays away, longer than hold-up lasts or with the cells cut off",
    parameters=(
        Parameter(name="sag", low=0.1, high=1.0, default=0.9, unit="",
                  about="share of nominal in the brown-out before"),
        Parameter(name="lead_s", low=0.01, high=86_400.0, default=5.0, unit="s", scale="log",
                  about="length of the brown-out"),
        Parameter(name="outage_s", low=0.01, high=1e7, default=21_600.0, unit="s", scale="log",
                  about="length of the cut"),
        choice("cells", ("hold up", "cut off"), "what the hold-up cells do"),
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
        window="easy", equipment="standard", persons=1, cost_usd=100.0,
    ),
    effects=_effects,
    source="planning values; hold-up of the examples is 24 hours",
)  # fmt: skip
