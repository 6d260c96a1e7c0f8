"""What is said of the sample boxes: modules, targets, doubts, shielding, bill of materials."""

from __future__ import annotations

from typing import Any

from casemate.design.enclosure import Alternative, Doubt, ModuleChoice, Target


def words() -> dict[str, Any]:
    """Return modules, targets, doubts, alternatives, totals, shielding and bom of a box."""
    return {
        "modules": _modules(),
        "targets": _targets(),
        "doubts": _doubts(),
        "alternatives": _alternatives(),
        "totals": _totals(),
        "shielding": _shielding(),
        "bom": _bom(),
    }


def _modules() -> tuple[ModuleChoice, ...]:
    return (
        ModuleChoice(
            id="rigid-4-layer",
            function="mesh skin",
            face="front",
            count=6,
            maturity="performing",
            reason="resolves 300 µm at 1.2 mm",
            runner_up="flex-2-layer: 3x cost",
            binding="tool",
        ),
    )


def _targets() -> tuple[Target, ...]:
    return (
        Target(
            id="tool",
            required=3e-4,
            achieved=2.8e-4,
            unit="m",
            met=True,
            evidence="proof",
            sense="max",
        ),
        Target(
            id="attenuation.low",
            required=60.0,
            achieved=41.0,
            unit="dB",
            met=False,
            evidence="model",
            sense="min",
        ),
    )


def _doubts() -> tuple[Doubt, ...]:
    return (
        Doubt(
            id="minor",
            claim="gasket ages well",
            why="no test",
            closes_with="bench test",
            severity="low",
        ),
        Doubt(
            id="window",
            claim="ITO <b>window</b> resists",
            why="no measurement",
            closes_with="bench test",
            severity="high",
        ),
    )


def _alternatives() -> tuple[Alternative, ...]:
    return (
        Alternative(
            id="slimmest",
            kind="slimmest",
            description="flex skin",
            changes=("skin: flex",),
            totals={"thickness_max_m": 0.002, "unit_cost_usd": 5000.0},
        ),
    )


def _totals() -> dict[str, float]:
    return {
        "thickness_max_m": 0.004,
        "mass_kg": 0.4,
        "unit_cost_usd": 812.0,
        "development_cost_usd": 2e5,
        "install_h": 0.5,
        "unavailability_min_per_year": 9.0,
    }


def _shielding() -> dict[str, Any]:
    return {
        "frequency_hz": [1e6, 1e7, 1e8, 1e9, 1e10],
        "total_db": [40.0, 55.0, 70.0, 64.0, 41.0],
        "paths": {
            "skin": [40.0, 60.0, 90.0, 110.0, 120.0],
            "vent": [160.0, 140.0, 110.0, 90.0, 60.0],
            "seams": [90.0, 80.0, 72.0, 65.0, 42.0],
        },
        "targets": [{"id": "low", "f_min_hz": 1e6, "f_max_hz": 1e9, "attenuation_db": 60.0}],
    }


def _bom() -> tuple[dict[str, Any], ...]:
    return (
        {
            "id": "rigid-4-layer",
            "name": "Rigid mesh board",
            "function": "mesh skin",
            "quantity": 6,
            "unit": "board",
            "unit_cost_usd": 80.0,
            "total_usd": 480.0,
            "origin": "custom",
            "interface": "FFC",
            "source": "quote, 2025",
            "maturity": "performing",
        },
        {
            "id": "=cmd",
            "name": 'A "quoted", name',
            "quantity": 1,
            "source": ["a", "b"],
            "extra": 3,
        },
    )
