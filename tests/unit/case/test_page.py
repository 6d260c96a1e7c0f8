"""The page: parsed back, measured in places, and with faults planted in what it is made of."""

from __future__ import annotations

import math
import random
import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from case_samples import OUTLINE, RERUN, far, full, move, noise, small, target, trial

from casemate.case import case_html, case_page, ladder
from casemate.case.argument import argument
from casemate.case.ladder import ladder_svg, summed
from casemate.case.maps import PAD, REACH, atlas_svgs, drawn, map_svg, weakest
from casemate.case.plots import BOTTOM, LEFT, RIGHT, TOP, left_out, plot_svg
from casemate.case.results import Doubt, Plot, Series, TileMap, Trial
from casemate.case.tree import tree_svg
from casemate.core.errors import InputError

VOID = {"meta", "br", "wbr"}


class Reader(HTMLParser):
    """Collects tags, ids, headings and text; asserts that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append((self.open[-1], data))


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


PAGE = read(case_page(full()))


def test_doubts_come_before_all_that_is_claimed() -> None:
    assert [words for _, words in PAGE.headings] == [
        "rack: security case", "Security case", "Doubts", "Assumptions", "Targets", "Moves",
        "False alarms", "Curves", "Where it was tried", "Atlas of the search", "Argument",
    ]  # fmt: skip


def test_nothing_is_fetched_and_nothing_runs() -> None:
    html = case_page(full())
    assert not {"script", "link", "img", "iframe", "object", "form"} & {t for t, _ in PAGE.tags}
    assert "http" not in html.replace("http-equiv", "") and "url(" not in html
    assert not any(name.startswith("on") for _, attrs in PAGE.tags for name in attrs)
    assert "default-src &#x27;none" in html or "default-src 'none'" in html


def test_it_can_be_read_without_seeing_it() -> None:
    svgs = [attrs for tag, attrs in PAGE.tags if tag == "svg"]
    assert svgs and all(a["role"] == "img" and a["aria-label"] for a in svgs)
    names = [tag for tag, _ in PAGE.tags]
    assert names.count("desc") == len(svgs)
    assert names.count("table") == names.count("caption")
    assert all(a.get("scope") in ("col", "row") for tag, a in PAGE.tags if tag == "th")
    ids = [a["id"] for _, a in PAGE.tags if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = [a["aria-labelledby"] for _, a in PAGE.tags if "aria-labelledby" in a]
    assert set(labelled) <= set(ids)


def test_everything_in_the_results_appears() -> None:
    results, words = full(), " ".join(" ".join(PAGE.text).split())
    for each in (*results.targets, *results.moves, *results.assumptions, *results.doubts):
        assert each.id in words
    for each in (*results.doubts, *results.assumptions):
        assert each.text in words
    assert all(f.cause in words for f in results.far)
    assert all(p.title in words and p.about in words for p in results.plots)
    assert all(m.tile in words for m in results.maps)
    for shown in ("not met", "in doubt", "271 µm", "412 µm", "93.9 to 97.9 %", "31 points",
                  "250,000 USD", "4 persons", "search got past", "no bound"):  # fmt: skip
        assert shown in words, shown


def test_what_a_user_writes_is_escaped_everywhere() -> None:
    bad = "<script>alert('&\"')</script>"
    results, atlas = full(), full().atlas
    odd = replace(trial(random.Random(1), bad, True), parameters={bad: 1.0})
    assert atlas is not None
    results = replace(
        results, enclosure=bad, adversary=bad, versions={bad: bad},
        targets=(target(bad, text=bad, evidence=bad, rerun=bad, unit="<b>"),),
        moves=(move("m", name=bad, seen_by=(bad,), potential_level=bad, rerun=bad, weakest=odd),),
        far=(far(bad, about=bad),), doubts=(Doubt(id="d", text=bad, targets=(bad,)),),
        assumptions=tuple(replace(a, text=bad, source=bad) for a in results.assumptions),
        plots=tuple(
            replace(p, title=bad, x=bad, y=bad, about=bad,
                    series=tuple(replace(s, name=bad) for s in p.series))
            for p in results.plots
        ),
        maps=tuple(
            replace(m, tile=bad + m.tile, face=bad, trials=(odd,)) for m in results.maps
        ),
        atlas=replace(atlas, x_name=bad, y_name=bad, z_name=bad, about=bad, rerun=bad),
    )  # fmt: skip
    html = case_page(results)
    assert "<script" not in html and "&lt;script" in html and "&lt;b&gt;" in html
    assert "script" not in {tag for tag, _ in read(html).tags}


def test_figures_that_are_not_numbers_never_reach_the_page() -> None:
    html = case_html(full())
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"<style>.*?</style>", "", html))


def test_a_page_of_nothing_says_so() -> None:
    words = " ".join(read(case_page(small(targets=(), moves=(), far=(), assumptions=()))).text)
    assert "No doubt was stated." in words and "No assumption is recorded." in words
    assert "In doubt" in words


def test_results_that_cannot_be_argued_from_are_refused() -> None:
    with pytest.raises(InputError):
        case_html(small(moves=(move(), move())))


def svg(text: str) -> ET.Element:
    return ET.fromstring(text)


def paths(root: ET.Element, kind: str) -> list[str]:
    return [e.attrib["d"] for e in root.iter("path") if kind in e.attrib.get("class", "").split()]


def flat(pairs: list[tuple[float, float]]) -> list[float]:
    return [value for pair in pairs for value in pair]


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def plot(**changes: Any) -> Plot:
    base = Plot(id="p", title="t", x="size (m)", y="delay (s)", x_log=True, y_log=True,
                series=(Series(name="a", x=(1e-4, 1e-3, 1e-2), y=(1.0, 0.1, 0.01)),),
                about="a", rerun=RERUN)  # fmt: skip
    return replace(base, **changes)


def test_a_power_law_is_a_straight_line_from_corner_to_corner() -> None:
    (line,) = paths(svg(plot_svg(plot(series=(
        Series(name="a", x=(1e-4, 1e-3, 1e-2), y=(1.0, 0.1, 0.01)),
    )))), "s0")[:1]  # fmt: skip
    assert flat(points(line)) == pytest.approx(
        [LEFT, TOP, 0.5 * (LEFT + RIGHT), 0.5 * (TOP + BOTTOM), RIGHT, BOTTOM], abs=0.06
    )


def test_a_share_is_drawn_from_0_to_1() -> None:
    flat = Series(name="a", x=(0.0, 1.0), y=(0.5, 0.75))
    (line,) = paths(svg(plot_svg(plot(x_log=False, y_log=False, series=(flat,)))), "s0")[:1]
    assert points(line)[0][1] == pytest.approx(0.5 * (TOP + BOTTOM), abs=0.06)


def test_what_a_log_axis_cannot_hold_breaks_the_line_and_is_counted() -> None:
    broken = Series(name="a", x=(1e-4, 1e-3, 1e-2, 1e-1, 1.0), y=(1.0, 0.5, 0.0, math.nan, 0.1))
    drawing = plot(series=(broken,))
    assert left_out(drawing) == 1
    root = svg(plot_svg(drawing))
    lines = [d for d in paths(root, "line") if d.startswith("M") and "h28" not in d]
    assert len(lines) == 2
    assert "1 points that a logarithmic axis" in case_html(small(plots=(drawing,)))


def test_a_band_holds_its_curve() -> None:
    banded = Series(name="a", x=(1.0, 2.0), y=(3.0, 4.0), low=(2.0, 3.0), high=(5.0, 6.0))
    root = svg(plot_svg(plot(x_log=False, y_log=False, series=(banded,))))
    (band,), (line,) = paths(root, "band"), paths(root, "line")[:1]
    ys = [y for _, y in points(band)]
    assert min(ys) < min(y for _, y in points(line)) and max(ys) > max(y for _, y in points(line))


@pytest.mark.parametrize("series", [(), (Series(name="a", x=(), y=()),),
                                    (Series(name="a", x=(-1.0,), y=(0.0,)),)])  # fmt: skip
def test_nothing_to_draw_is_said(series: Any) -> None:
    assert "nothing to draw" in plot_svg(plot(series=series))


def test_one_point_and_many_series_are_drawn() -> None:
    many = tuple(Series(name=f"s{k}", x=(1.0,), y=(2.0,)) for k in range(20))
    root = svg(plot_svg(plot(series=many)))
    assert float(root.attrib["viewBox"].split()[3]) >= 24 + 20 * 20


def board(trials: tuple[Trial, ...]) -> TileMap:
    return TileMap(tile="t", face="f", outline=OUTLINE, holes=(), trials=trials)


def test_a_trial_is_drawn_where_it_was() -> None:
    """Lower left and upper right corner of the outline, y up on the board and down on the page."""
    one = trial(random.Random(1), "t", False)
    hits = board((replace(one, x_m=0.0, y_m=0.0), replace(one, x_m=0.56, y_m=0.41)))
    (dots,) = paths(svg(map_svg(hits)), "hit")
    scale = REACH / 0.56
    assert flat(points(dots)) == pytest.approx(
        [PAD, PAD + 0.41 * scale, PAD + REACH, PAD], abs=0.06
    )


def test_every_miss_is_drawn_and_the_least_margin_is_ringed() -> None:
    g = random.Random(2)
    trials = [trial(g, "t", k < 30) for k in range(5000)]
    kept = drawn(trials)
    assert sum(not t.detected for t in kept) == 30 and len(kept) < 900
    root = svg(map_svg(board(tuple(trials))))
    assert paths(root, "miss")[0].count("M") == 30
    worst = weakest(trials)
    assert worst is not None and worst.margin == min(t.margin for t in trials)
    (ring,) = [e for e in root.iter("circle") if e.attrib["class"] == "ring"]
    scale = REACH / 0.56
    assert float(ring.attrib["cx"]) == pytest.approx(PAD + worst.x_m * scale, abs=0.06)
    shares = [e.text for e in root.iter("title") if e.text and e.text.endswith("not detected")]
    counted = sum(int(words.split()[0]) for words in shares)
    assert counted == 30


def test_a_board_without_trials_or_places() -> None:
    nowhere = replace(trial(random.Random(1), "t", True), x_m=math.nan, margin=math.nan)
    for trials in ((), (nowhere,)):
        root = svg(map_svg(board(trials)))
        assert not paths(root, "miss") and not list(root.iter("circle"))


def test_the_atlas_marks_what_got_past() -> None:
    atlas = full().atlas
    assert atlas is not None
    layers = atlas_svgs(atlas)
    assert len(layers) == 3
    for k, (_, text) in enumerate(layers):
        flat = [row[k] for plane in atlas.margin for row in plane]
        words = [e.text for e in svg(text).iter("text")]
        assert sum(bool(w and w.endswith("✗")) for w in words) == sum(
            m is not None and m < 0 for m in flat
        )
        assert words.count("none") == flat.count(None)
    first = svg(layers[0][1])
    labels = [
        (e.attrib["x"], e.text) for e in first.iter("text") if "val" in e.attrib.get("class", "")
    ]
    assert labels[0] == (f"{66 + 29:.1f}", "14.0")


def test_the_ladder_sums_from_each_level_up() -> None:
    causes = (("a", 4, 1e-3), ("b", 3, 2e-3), ("c", 3, 3e-3), ("d", 1, math.inf))
    results = small(far=tuple(far(name, level=n, upper=upper) for name, n, upper in causes))
    assert summed(results, 4) == 1e-3 and summed(results, 3) == pytest.approx(6e-3)
    assert summed(results, 1) == math.inf
    words = [e.text or "" for e in svg(ladder_svg(results)).iter("text")]
    assert "together: at most 1 in 1,000 years" in words
    assert "level 3 or above: at most 1 in 167 years" in words
    assert "level 1 or above: no bound" in words and "no bound" in words
    rungs = [w for w in words if w in ("a", "b", "c", "d")]
    assert rungs == ["a", "c", "b", "d"]


def test_a_rung_stands_at_its_rate() -> None:
    results = small(far=(far("a", lower=1e-4, per_enclosure_year=1e-3, upper=1e-2),))
    root = svg(ladder_svg(results))
    (dot,) = [e for e in root.iter("circle")]
    span = ladder.RIGHT - ladder.LEFT
    assert float(dot.attrib["cx"]) == pytest.approx(ladder.LEFT + span * 2 / 3, abs=0.06)


def test_a_rate_of_zero_has_no_dot_and_no_lower_end() -> None:
    root = svg(ladder_svg(small(far=(far(lower=0.0, per_enclosure_year=0.0, upper=1e-3),))))
    assert not list(root.iter("circle"))


def test_the_drawing_of_the_argument_has_every_goal() -> None:
    structure = argument(full())
    root = svg(tree_svg(structure))
    titles = " ".join(e.text or "" for e in root.iter("title"))
    for node in structure.nodes:
        if node.kind in ("Goal", "Strategy"):
            assert f"{node.id} {node.text}" in titles
    undeveloped = sum(n.undeveloped for n in structure.nodes)
    assert len(paths(root, "open")) == undeveloped == 1


def test_a_campaign_of_full_size_stays_small_and_fast() -> None:
    g = random.Random(5)
    results = small(
        moves=(*(move(f"m{k}") for k in range(40)), *(noise(f"n{k}") for k in range(15))),
        maps=tuple(
            replace(board(tuple(trial(g, "t", k % 50 == 0) for k in range(600))), tile=f"t{n}")
            for n in range(60)
        ),
    )
    start = time.perf_counter()
    page = case_page(results)
    assert len(page.encode()) < 2_500_000
    assert time.perf_counter() - start < 10.0
    assert "54 more boards" in page


def test_the_same_results_give_the_same_page() -> None:
    assert case_page(full()) == case_page(full())
