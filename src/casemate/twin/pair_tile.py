"""Pairs of a drawn tile: which nets run side by side, and on what board."""

from __future__ import annotations

from dataclasses import dataclass, replace

from casemate.core.errors import InputError
from casemate.design.enclosure import Stackup
from casemate.mesh.model import Net, TileMesh
from casemate.twin.capacitance import crossing_f
from casemate.twin.line_materials import Complex, Dielectric, Metal
from casemate.twin.line_microstrip import Substrate
from casemate.twin.pair_line import Pair, buried, pair_of, positive, stretched
from casemate.twin.resistance import IACS_ALPHA_1_K, IACS_OHM_M, NM, lengths_m

FR4 = Dielectric(epsilon_r=4.435, tan_delta=0.0173)
"""As found on the recorded lines (decision 7); a thin core with much resin may have 0.5 less."""
EXPANSION_1_K = 17e-6
"""Of a board in its plane, that of its copper."""
EPSILON_1_K = 270e-6
"""Of FR-4's permittivity, 200 to 400 ppm/K (reference physics 5.2): a delay of 152 ppm/K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Two nets that run side by side; lengths_m: of each, from terminal to terminal."""

    nets: tuple[Net, Net]
    lengths_m: tuple[float, float]

    @property
    def length_m(self) -> float:
        """Return the pair's length, the mean of both."""
        return 0.5 * sum(self.lengths_m)

    @property
    def share(self) -> float:
        """Return by how much the first lane is longer than the mean, relatively."""
        return self.lengths_m[0] / self.length_m - 1.0


def lanes_of(mesh: TileMesh) -> tuple[Lanes, ...]:
    """Return the pairs of a tile: lanes 0 and 1, 2 and 3, ... of each zone of each layer.

    The last of an odd number of lanes has no partner and is left out.
    """
    zones: dict[tuple[str, int], dict[int, Net]] = {}
    for net in mesh.nets:
        zones.setdefault((net.layer, net.zone), {})[net.lane] = net
    found = []
    for nets in zones.values():
        for lane in range(0, max(nets), 2):
            if lane in nets and lane + 1 in nets:
                two = nets[lane], nets[lane + 1]
                lengths = tuple(float(lengths_m(net.vertices).sum()) for net in two)
                found.append(Lanes(nets=two, lengths_m=(lengths[0], lengths[1])))
    return tuple(found)


def board_of(stackup: Stackup, layer: str, dielectric: Dielectric = FR4) -> Substrate:
    """Return what a mesh layer's strips lie in: their distance from the nearest plane.

    Planes are outer layers here; InputError for a board without one, whose pairs have no even mode.
    """
    depths = {"F.Cu": 0.0, "B.Cu": stackup.thickness_m}
    planes = [depths[name] for name in stackup.plane if name in depths]
    if layer not in stackup.mesh or not planes:
        raise InputError(
            "a pair needs a mesh layer over a plane, and the board has none.",
            remedy="use a mesh board with a plane on F.Cu or B.Cu for reflectometry.",
            key=layer,
            value=stackup.plane,
        )
    depth_m = stackup.depth_m[stackup.mesh.index(layer)]
    height_m = min(abs(depth_m - each) for each in planes)
    positive(height_m=height_m)
    return Substrate(
        height_m=height_m,
        copper_m=stackup.copper_m,
        dielectric=dielectric,
        metal=Metal(resistivity_ohm_m=IACS_OHM_M),
    )


def loading_f_m(stackup: Stackup, mesh: TileMesh, layer: str, epsilon_r: float) -> float:
    """Return what the traces of the nearest other mesh layer add to a strip's capacitance, F/m.

    One crossing a pitch, all of them taken as ground: each is a few fF on a line of some 50 ohm.
    """
    here = stackup.mesh.index(layer)
    apart = [abs(stackup.depth_m[here] - d) for n, d in enumerate(stackup.depth_m) if n != here]
    if not apart:
        return 0.0
    width_m, pitch_m = mesh.trace_nm * NM, mesh.pitch_nm * NM
    one_f = crossing_f(
        widths_m=(width_m, width_m),
        pitches_m=(pitch_m, pitch_m),
        apart_m=min(apart),
        epsilon_r=epsilon_r,
    )
    return one_f / pitch_m


def warmed(board: Substrate, rise_k: float) -> Substrate:
    """Return the board `rise_k` warmer: resistivity and permittivity; lengths are the caller's."""
    epsilon_r = board.dielectric.epsilon_r * (1.0 + EPSILON_1_K * rise_k)
    rho = board.metal.resistivity_ohm_m * (1.0 + IACS_ALPHA_1_K * rise_k)
    return replace(
        board,
        dielectric=replace(board.dielectric, epsilon_r=epsilon_r),
        metal=replace(board.metal, resistivity_ohm_m=rho),
    )


def pair_on(
    stackup: Stackup, mesh: TileMesh, lanes: Lanes, laplace_1_s: Complex, rise_k: float = 0.0
) -> Pair:
    """Return the pair of two nets, `rise_k` above the reference temperature."""
    layer = lanes.nets[0].layer
    board = warmed(board_of(stackup, layer), rise_k)
    width_m, gap_m = mesh.trace_nm * NM, (mesh.pitch_nm - mesh.trace_nm) * NM
    more = loading_f_m(stackup, mesh, layer, board.dielectric.epsilon_r)
    two = stretched(buried(board, (width_m, width_m), (gap_m,), laplace_1_s, more), lanes.share)
    alone = buried(board, (width_m,), (), laplace_1_s, more)
    return pair_of(laplace_1_s, two, alone, lanes.length_m * (1.0 + EXPANSION_1_K * rise_k))
