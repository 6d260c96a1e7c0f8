"""What the tests of resistance and capacitance share: potentials by finite elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def ours_first() -> None:
    """Load build123d before ngsolve, which brings another OCCT: the other way round breaks ours.

    Not at the head of the file: every worker of the tests reads it, one runs what needs it.
    """
    import build123d  # noqa: F401


def squares_between(
    face: Any, left: Any, right: Any, *, maxh: float, order: int = 4, corners: bool = False
) -> float:
    """Return the resistance, in squares, of a plane OCC `face` between two of its edges."""
    ours_first()
    from netgen.occ import OCCGeometry

    face.edges.name = "wall"
    left.name, right.name = "left", "right"
    geometry = OCCGeometry(face, dim=2)
    return 1.0 / energy(geometry, {"left": 1.0, "right": 0.0}, maxh=maxh, order=order, hp=corners)


def energy(
    geometry: Any,
    volts: dict[str, float],
    *,
    maxh: float,
    order: int = 3,
    hp: bool = False,
    epsilon: dict[str, float] | None = None,
) -> float:
    """Return the integral of epsilon |grad u|^2 with `volts` on the named boundaries.

    The dual of a resistance in squares or of C/eps0. hp: refine geometrically where the geometry
    says so (`hpref`).
    """
    ours_first()
    import ngsolve as ng

    mesh = ng.Mesh(geometry.GenerateMesh(maxh=maxh))
    mesh.Curve(3)
    if hp:
        mesh.RefineHP(4, 0.15)
    weight: Any = mesh.MaterialCF(epsilon, default=1.0) if epsilon else ng.CoefficientFunction(1.0)
    space = ng.H1(mesh, order=order, dirichlet="|".join(volts))
    u, v = space.TnT()
    form = ng.BilinearForm(weight * ng.grad(u) * ng.grad(v) * ng.dx).Assemble()
    found = ng.GridFunction(space)
    found.Set(mesh.BoundaryCF(volts, default=0.0), ng.BND)
    residual = form.mat.CreateColVector()
    residual.data = form.mat * found.vec
    inverse = form.mat.Inverse(space.FreeDofs(), "sparsecholesky")
    found.vec.data -= inverse * residual
    return float(ng.Integrate(weight * ng.grad(found) * ng.grad(found), mesh))


def trace_face(points: npt.NDArray[np.float64], width: float) -> tuple[Any, Any, Any]:
    """Return a trace of round joints as an OCC face, and its two flat ends."""
    ours_first()
    from netgen.occ import WorkPlane
    from shapely.geometry import LineString
    from shapely.geometry.polygon import orient

    line = LineString(points).buffer(width / 2, cap_style="flat", join_style="round", quad_segs=8)
    ring = list(orient(line).exterior.coords)[:-1]
    plane = WorkPlane().MoveTo(*ring[0])
    for corner in ring[1:]:
        plane = plane.LineTo(*corner)
    face = plane.Close().Face()
    for vertex in face.vertices:  # re-entrant corners lie w/2 off both segments
        near = np.abs(np.hypot(*(points[1:-1] - [vertex.p.x, vertex.p.y]).T) / width - 0.5**0.5)
        if near.size and near.min() < 1e-6:
            vertex.hpref = 1
    ends = [
        min(face.edges, key=lambda e, at=at: np.hypot(e.center.x - at[0], e.center.y - at[1]))
        for at in (points[0], points[-1])
    ]
    return face, ends[0], ends[1]


def strip_quarter(
    strip: tuple[float, float],
    size: tuple[float, float],
    *,
    film: float = 0.0,
    wire: float = 0.0,
    lid: bool = False,
) -> Any:
    """Return x >= 0, y >= 0 with a thin strip on the x axis from `strip[0]` to `strip[1]`.

    Boundaries: middle (x = 0), strip, wire (a quarter circle at the origin), wall, and lid for the
    far end in y if `lid` (without film). Materials film (y < `film`) and air. The edges of the
    strip are refined geometrically.
    """
    ours_first()
    from netgen.geom2d import SplineGeometry

    plane = SplineGeometry()
    fine = 0.1 * (strip[1] - strip[0])

    def at(x: float, y: float, edge: bool = False) -> int:
        return int(plane.AppendPoint(x, y, fine if edge else 1e99, hpref=1 if edge else 0))

    def wall(p: int, q: int, name: str, inside: int = 1, beyond: int = 0) -> None:
        plane.Append(["line", p, q], bc=name, leftdomain=inside, rightdomain=beyond)

    x_end, y_end = size
    first = at(wire, 0.0)
    row = [first, at(strip[0], 0.0, True)]
    wall(*row, "wall")
    row.append(at(strip[1], 0.0, strip[1] < x_end))
    wall(row[1], row[2], "strip")
    if strip[1] < x_end:
        row.append(at(x_end, 0.0))
        wall(row[2], row[3], "wall")
    right, left = row[-1], at(0.0, wire) if wire else first
    if wire:
        control = at(wire, wire)
        plane.Append(["spline3", left, control, first], bc="wire", leftdomain=1, rightdomain=0,
                     maxh=0.3 * wire)  # fmt: skip
    top = at(x_end, y_end), at(0.0, y_end)
    if film:
        _air_above(plane, wall, (right, left), (at(x_end, film), at(0.0, film)), top)
    else:
        wall(right, top[0], "wall")
        wall(*top, "lid" if lid else "wall")
        wall(top[1], left, "middle")
    plane.SetMaterial(1, "film")
    return plane


def _air_above(
    plane: Any, wall: Any, ground: tuple[int, int], low: tuple[int, int], top: tuple[int, int]
) -> None:
    """Close the film below (right, left) points `low` and put air between it and `top`."""
    wall(ground[0], low[0], "wall")
    wall(*low, "inner", 1, 2)
    wall(low[1], ground[1], "middle")
    wall(low[0], top[0], "wall", 2)
    wall(*top, "wall", 2)
    wall(top[1], low[1], "middle", 2)
    plane.SetMaterial(2, "air")


def crossing_quarter(
    width: float, apart: float, *, hole: float = 0.0, drilled: bool = False, fine: float = 0.04
) -> Any:
    """Return a quarter of a crossing's cell, pitch 1, as an OCC geometry with faces A and B.

    A cylinder of diameter `hole` (material "hole") stands in the middle in any case, so that
    drilled and sound copper are compared on meshes of the same kind.
    """
    ours_first()
    from netgen.occ import Axes, Box, Cylinder, Glue, OCCGeometry, WorkPlane, X, Z

    beyond = 0.7
    film = Box((0, 0, -beyond), (0.5, 0.5, apart + beyond))
    below = WorkPlane(Axes((0, 0, 0), Z, X)).Rectangle(0.5, width / 2).Face()
    above = WorkPlane(Axes((0, 0, apart), Z, X)).Rectangle(width / 2, 0.5).Face()
    parts = [film]
    if hole:
        bit = Cylinder((0, 0, -beyond), Z, hole / 2, apart + 2 * beyond)
        if drilled:
            below, above = below - bit, above - bit
        inside, film = film * bit, film - bit
        inside.solids.name, film.solids.name = "hole", "film"
        parts = [film, inside]
    below.faces.name, above.faces.name = "A", "B"
    below.edges.maxh = above.edges.maxh = fine
    return OCCGeometry(Glue([*parts, below, above]))
