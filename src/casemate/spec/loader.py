"""From enclosure.toml to one frozen EnclosureSpec, or one clear SpecError."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.canonical import digest
from casemate.core.errors import SpecError
from casemate.spec.model import (
    Adversary,
    AttenuationTarget,
    Budgets,
    CrossingSpec,
    Door,
    EnclosureSpec,
    MeshChoice,
    Protected,
    Service,
    Swap,
    Targets,
)

if TYPE_CHECKING:
    from casemate.spec.shape import CrossingTable, SpecFile, TargetsTable

SPEC_BYTES_MAX = 1 << 20
"""A spec is a page of text; 1 MiB is already a mistake."""


def load_spec(path: Path) -> EnclosureSpec:
    """Return the spec in the file at `path`; SpecError for whatever is wrong with it."""
    file = str(path)
    return load_spec_text(_decoded(_read(path, file), file), file)


def load_spec_text(text: str, file: str = "enclosure.toml") -> EnclosureSpec:
    """Return the spec in `text`; `file` names it in errors."""
    from pydantic import ValidationError

    from casemate.spec.checks import check
    from casemate.spec.problems import spec_error
    from casemate.spec.shape import SpecFile

    raw = _parsed(text, file)
    try:
        table = SpecFile.model_validate(raw)
    except ValidationError as problem:
        raise spec_error(problem, file=file, model=SpecFile) from None
    spec = _spec(table, digest(raw))
    check(spec, file)
    return spec


def _read(path: Path, file: str) -> bytes:
    try:
        if not path.exists():
            raise SpecError(
                "there is no such file.",
                remedy="name an enclosure.toml, or start one with `casemate new camera DIR`.",
                file=file,
            )
        if not path.is_file():
            inside = path / "enclosure.toml"
            hint = f"did you mean {inside}?" if inside.is_file() else "name a file, not a folder."
            raise SpecError("this is no regular file.", remedy=hint, file=file)
        with path.open("rb") as stream:
            content = stream.read(SPEC_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(
            f"the file cannot be read: {reason}.",
            remedy="check its name and its permissions.",
            file=file,
        ) from None
    if len(content) > SPEC_BYTES_MAX:
        raise SpecError(
            f"the file is larger than {SPEC_BYTES_MAX} bytes.",
            remedy="name an enclosure.toml; a spec is a page of text.",
            file=file,
        )
    return content


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError(
            f"line {line} is not UTF-8 text.", remedy="save the file as UTF-8.", file=file
        ) from None


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError(
            "the file nests too deeply.",
            remedy="start again from `casemate new camera DIR`.",
            file=file,
        ) from None
    except ValueError as error:  # TOMLDecodeError, and numbers of more than 4300 digits
        raise SpecError(
            f"the file is not TOML: {error}.",
            remedy='correct the place named; quantities need quotes, as in power = "132 kW".',
            file=file,
        ) from None


def _spec(table: SpecFile, spec_digest: str) -> EnclosureSpec:
    protected, budgets, adversary = table.protected, table.budgets, table.adversary
    return EnclosureSpec(
        name=table.name,
        protected=Protected(
            kind=protected.kind,
            size_m=(protected.size[0], protected.size[1], protected.size[2]),
            mass_kg=protected.mass,
            power_w=protected.power,
            heat_to_air_w=protected.heat_to_air,
            heat_to_liquid_w=protected.heat_to_liquid,
            value_usd=protected.value,
        ),
        crossings=tuple(_crossing(each) for each in table.crossings),
        service=Service(
            doors=tuple(
                Door(face=door.face, swing=door.swing, clearance_m=door.clearance)
                for door in table.service.doors
            ),
            swaps=tuple(
                Swap(part=swap.part, face=swap.face, rate_per_year=swap.rate)
                for swap in table.service.swaps
            ),
        ),
        budgets=Budgets(
            thickness_m=budgets.thickness.model_dump(),
            install_s=budgets.install,
            service_s=budgets.service,
            unavailability_s_per_year=budgets.unavailability,
            unit_cost_usd=budgets.unit_cost,
            own_power_w=budgets.own_power,
            hold_up_s=budgets.hold_up,
        ),
        adversary=Adversary(
            profile=adversary.profile,
            people=adversary.people,
            budget_usd=adversary.budget,
            duration_s=adversary.duration,
        ),
        targets=_targets(table.targets),
        fab=table.fab,
        mesh=MeshChoice(
            pattern=table.mesh.pattern, lanes=table.mesh.lanes, pitch_m=table.mesh.pitch or 0.0
        ),
        pins=dict(table.pins),
        digest=spec_digest,
    )


def _crossing(table: CrossingTable) -> CrossingSpec:
    return CrossingSpec(
        id=table.id,
        kind=table.kind,
        face=table.face,
        count=table.count,
        diameter_m=table.diameter or 0.0,
        size_m=(table.size[0], table.size[1]) if table.size else None,
        position_m=(table.position[0], table.position[1]) if table.position else None,
        flow_m3_s=table.flow or 0.0,
        pressure_drop_max_pa=table.pressure_drop_max or 0.0,
        inlet_rise_max_k=table.inlet_rise_max or 0.0,
        current_a=table.current or 0.0,
        voltage_v=table.voltage or 0.0,
    )


def _targets(table: TargetsTable) -> Targets:
    return Targets(
        tool_m=table.tool,
        tool_angle_rad=table.tool_angle,
        pod=table.pod,
        pod_confidence=table.pod_confidence,
        reaction_s=table.reaction,
        far_per_year=table.far,
        dual_detection=table.dual_detection,
        attenuation=tuple(
            AttenuationTarget(
                id=band.id,
                f_min_hz=band.f_min,
                f_max_hz=band.f_max,
                attenuation_db=band.attenuation,
            )
            for band in table.attenuation
        ),
        same_net_share=table.same_net_share,
        bypass_worst_share=table.bypass_worst_share,
        bypass_over_one_percent_share=table.bypass_over_one_percent_share,
        resistance_mismatch=table.resistance_mismatch,
    )
