"""The picture of an enclosure: every tile is seen from some corner, marks are what is told."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter
from small_papers import box

from casemate.attest import claims as c
from casemate.core.errors import FormatError
from casemate.design.frames import face_frame
from casemate.fleet.drawing import layout, scene
from casemate.fleet.permits import papers
from casemate.testing import honest_enclosure as honest


def area(points: Any) -> float:
    pairs = zip(points, (*points[1:], points[0]), strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def test_opposite_corners_show_every_tile_once_and_within_the_drawing() -> None:
    design = box()
    seen: list[str] = []
    for view in ("front-right-top", "rear-left-bottom"):
        shapes = scene.draw(design, view, {})
        flat = [each for each in shapes if not each.strip]
        assert len({each.face for each in flat}) == 3
        seen += [each.tile for each in flat]
        for each in shapes:
            assert all(0 <= x <= scene.WIDTH and 0 <= y <= scene.HEIGHT for x, y in each.points)
        assert set(scene.hidden(design, shapes)).isdisjoint(each.tile for each in shapes)
    whole = {each["id"] for each in design["tiles"] if each["bend"] is None}
    assert set(seen) == whole and len(seen) == len(whole)


def test_tiles_of_a_face_do_not_overlap_and_leave_the_vent_open() -> None:
    shapes = scene.draw(box(), "front-right-top", {})
    by = {each.tile: area(each.points) for each in shapes if not each.strip}
    assert by["right-1-1"] == pytest.approx(by["right-2-2"], rel=0.01)
    front = sum(area_ for name, area_ in by.items() if name.startswith("front"))
    whole = (0.6 * 0.6 + 0.2 * 1.4) / (0.6 * 2.0)
    assert front / (by["front-low-1-1"] / 0.3 * 2.0) == pytest.approx(whole, rel=0.01)
    strip = next(each for each in shapes if each.strip)  # 40 mm of 0.9 m: the rest is tucked
    assert area(strip.points) / by["front-low-1-1"] == pytest.approx(0.04 * 0.9 / 0.18, rel=0.05)


def test_the_camera_stands_where_the_view_says() -> None:
    """Of the left face, what is nearer to the front is on the right, as seen from outside."""
    shapes = {each.tile: each for each in scene.draw(box(), "front-left-top", {})}
    assert shapes["left-2-1"].centre[0] > shapes["left-1-1"].centre[0]
    assert shapes["left-1-2"].centre[1] < shapes["left-1-1"].centre[1]
    assert shapes["front-low-1-1"].centre[0] > shapes["left-2-1"].centre[0]
    assert "edge-front-left-1" in shapes and "right-1-1" not in shapes


def test_marks_are_of_what_is_told() -> None:
    design = box()
    found = scene.marks(
        design, said=["the Front was opened", "left-1-2: drilled"], unwatched=["rear", "front"],
        permitted=["top"],
    )  # fmt: skip
    assert found["front-low-1-1"] == found["left-1-2"] == "event"
    assert found["left-1-1"] == "plain"
    assert (found["rear-1-1"], found["top-1-2"]) == ("unwatched", "permit")
    assert found["edge-front-left-1"] == "plain"


def wrong(**changes: Any) -> bytes:
    """Return a design of which the first tile has something else."""
    made = copy.deepcopy(box())
    made["tiles"][0].update(changes)
    return json.dumps(made).encode()


def with_(**changes: Any) -> bytes:
    return json.dumps(box() | changes).encode()


def without(key: str) -> bytes:
    return json.dumps({name: held for name, held in box().items() if name != key}).encode()


def moved(by_m: float) -> bytes:
    """Return a design of which the first tile lies elsewhere than on its face."""
    made = box()
    made["tiles"][0]["frame"]["origin_m"][0] += by_m
    return json.dumps(made).encode()


def test_a_design_that_is_none_is_refused(kit: Kit) -> None:
    enter(kit, honest.Story())
    none = (
        wrong(width_m=1e9), wrong(height_m="1"), wrong(id="x\x1b[2J"), wrong(face=""),
        wrong(bend={"faces": 7}), json.dumps({**box(), "tiles": []}).encode(), b"{", b"[" * 100_000,
        json.dumps({"tiles": box()["tiles"]}).encode(), wrong(frame={}), wrong(laps=None),
        wrong(module="x\x1b[2J"), wrong(face="inside"), without("size_m"), without("crossings"),
        moved(9.0), moved(float("nan")), with_(size_m=[0.6, 1.2, 1e9]), with_(size_m=[1, 1]),
        with_(crossings=box()["crossings"] * 300), with_(crossings=[{"id": "feed"}]),
    )  # fmt: skip
    for data in none:
        with kit.service.store.write() as link, pytest.raises(FormatError):
            papers.put(link, 1, "design", data, 0)


def test_the_page_shows_the_place_that_the_evidence_names(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    client = kit.client("inspector")
    assert "No design was handed over" in client.get("/enclosures/1").text
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    bring(kit, brought)
    page = client.get("/enclosures/1?view=front-left-top").text
    assert 'class="scene is-armed"' in page and '<g class="place"' not in page
    story = brought.story
    story.state = "TAMPERED"
    story.token(c.LastWord(reason="the front was opened", erased_us=9), signers=story.last_word)
    story.seal()
    bring(kit, brought)
    page = client.get("/enclosures/1?view=front-left-top").text
    assert page.count('<g class="place"') == 1 and 'fill="url(#scene-unknown)"' in page
    assert (
        page.count('class="tile event"') == 4 and ">Place 1</span> “the front was opened”" in page
    )
    assert "Place 1: the front was opened. Seen: front, door, left, top" in page
    row = client.get("/enclosures/1.json?view=rear-right-bottom").json()["picture"]
    assert set(row["unseen"]["event"]) == set(row["marked"]["event"])
    page = client.get("/enclosures/1?view=rear-right-bottom").text
    assert ", token 4 (not seen from here)" in page and '<g class="place"' not in page
    assert "Place 1, not seen from here: the front was opened" in page
    assert client.get("/enclosures/1?view=inside").status_code == 422


def test_a_stale_enclosure_is_not_drawn_as_armed(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    bring(kit, brought)
    kit.clock.now_s += 1000
    page = kit.client("inspector").get("/enclosures/1").text
    assert 'class="scene is-unknown"' in page and "url(#scene-unknown)" in page


def test_what_nothing_watches_is_marked(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1, body={"unwatched": ("rear",)}))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    bring(kit, brought)
    row = kit.client("inspector").get("/enclosures/1.json").json()["picture"]
    assert row["marked"] == {"unwatched": ["rear-1-1"]}


def test_every_view_shows_what_faces_it_and_nothing_else() -> None:
    """What of a box looks here is as large as what looks away, and covers it."""
    design = box()
    sizes = {"front": 0.6 * 2.0, "rear": 0.6 * 2.0, "left": 1.2 * 2.0, "right": 1.2 * 2.0,
             "top": 0.6 * 1.2, "bottom": 0.6 * 1.2}  # fmt: skip
    for view in scene.VIEWS:
        drawn = scene.drawing(design, view, {})
        outside = {each.name for each in drawn.faces if not each.inside}
        assert outside == set(view.split("-")), view
        assert {each.face for each in drawn.shapes if not each.strip} == outside
        # insides are first, and are those of the faces opposite
        assert [each.inside for each in drawn.faces] == sorted(
            (each.inside for each in drawn.faces), reverse=True
        )
        # a face that is drawn covers what its outline says, whichever way it is turned
        shares = {each.name: area(each.points) / sizes[each.name] for each in drawn.faces}
        for one, other in (("front", "rear"), ("left", "right"), ("top", "bottom")):
            if one in shares:
                assert shares[one] == pytest.approx(shares[other], rel=0.02)


def test_steps_lead_round_it_and_back() -> None:
    for start in scene.VIEWS:
        turns = scene.turned(start)
        assert set(turns.values()) <= set(scene.VIEWS) and start not in turns.values()
        if "right" in turns:
            assert scene.turned(turns["right"])["left"] == start
            view = start
            for _ in scene.ROUND:
                view = scene.turned(view)["right"]
            assert view == start
        for way, back in (("higher", "lower"), ("lower", "higher")):
            to = turns.get(way)
            if to and to not in ("top", "bottom") and start not in ("top", "bottom"):
                assert scene.turned(to)[back] == start
    assert scene.turned("top") == {"lower": "front-top"}


def test_walking_to_the_right_turns_the_enclosure_to_the_left() -> None:
    """A point of the front face that is seen from the front right goes on to the left."""
    at = {}
    for view in ("front-right-top", "right-top"):
        shapes = {each.tile: each for each in scene.draw(box(), view, {})}
        at[view] = shapes["right-1-1"].centre[0]
    assert scene.turned("front-right-top")["right"] == "right-top"
    assert at["right-top"] < at["front-right-top"]


def test_the_view_without_a_choice_shows_the_event() -> None:
    for tile, seen in (("rear-1-1", "rear"), ("bottom-1-1", "bottom"), ("left-1-2", "left")):
        view = scene.best(box(), {tile: "event", "front-far-1-1": "unwatched"})
        assert seen in view.split("-")
        assert "front" in view or seen == "rear"
    assert scene.best(box(), {}) == "front-right-top"


def test_an_opening_is_where_the_outline_says() -> None:
    design = box()
    right = next(each for each in design["tiles"] if each["id"] == "right-1-1")
    right["outline"] = {"exterior": [], "holes": [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.5], [0.0, 0.5]]]}
    shape = next(x for x in scene.draw(design, "right", {}) if x.tile == "right-1-1")
    assert area(shape.openings[0]) == pytest.approx(area(shape.points) / 4, rel=0.01)
    assert (shape.openings[0][0], shape.points[0]) == (shape.points[0], shape.openings[0][0])
    for none in ([[1]], [[[0, 0], [1, "x"], [1, 1]]], [[[0, 0], [float("nan"), 1], [1, 1]]], [7]):
        right["outline"] = {"holes": none}
        with pytest.raises((ValueError, TypeError)):
            papers._check_design(design)


def test_a_tile_that_is_looked_for_is_shown_and_measured(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    bring(kit, brought)
    client = kit.client("inspector")
    page = client.get("/enclosures/1?tile=rear-1-1").text
    assert page.count('<polygon class="sought"') == 1 and "from the rear" in page
    page = client.get("/enclosures/1?tile=left-1-2").text
    assert "left, 0.000 to 0.600 m from its edge with the rear, 1.000 to 2.000 m" in page
    assert "Outer size, width × depth × height: 0.600 × 1.200 × 2.000 m. Door: front." in page
    assert 'href="?view=rear-left-top&amp;tile=left-1-2"' in page  # a turn keeps it
    row = client.get("/enclosures/1.json?tile=edge-front-left-1").json()["picture"]["sought"]
    assert row["where"] == [
        "front, 0.000 to 0.040 m from its edge with the left, 0.000 to 0.900 m from its edge with "
        "the bottom",
        "left, 1.160 to 1.200 m from its edge with the rear, 0.000 to 0.900 m from its edge with "
        "the bottom",
    ]
    wrong_ = client.get("/enclosures/1?tile=<b>")
    assert wrong_.status_code == 422 and "<b>" not in wrong_.text


def test_crossings_are_drawn_where_they_are() -> None:
    drawn = scene.drawing(box(), "rear", {})
    assert [each.name for each in drawn.crossings] == ["feed"]
    rear = next(each for each in drawn.shapes if each.tile == "rear-1-1")
    left, right = min(x for x, _ in rear.points), max(x for x, _ in rear.points)
    share = (drawn.crossings[0].centre[0] - left) / (right - left)
    assert share == pytest.approx(0.1 / 0.6, abs=0.01)  # from the left, as one stands before it


def test_places_are_measured_from_the_faces_that_are_named() -> None:
    """The corner from which a face is measured lies on the planes of both faces that it names."""
    size = layout.size(box())
    for face, named in layout.NEIGHBOURS.items():
        corner = layout.in_space(face, size, [(0.0, 0.0)])[0]
        along = layout.in_space(face, size, [(0.1, 0.0), (0.0, 0.1)])
        for other, point in zip(named, along[::-1], strict=True):
            held = face_frame(other, size)
            for at in (corner, point):  # the edge with that face goes through both
                assert (at - held.origin_m) @ held.inward == pytest.approx(0.0, abs=1e-12)
