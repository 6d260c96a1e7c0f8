"""Channels as rows: what was told last, how long ago, and a small line. Unsigned, and shown so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.fleet.clockface import ago, clock
from casemate.fleet.readings.looks import coarser
from casemate.fleet.readings.series import Latest, Look
from casemate.fleet.web import channel_draw
from casemate.fleet.web.asked import Service
from casemate.fleet.web.series_page import NOTE

FEW, FEW_S = 8, 600
"""Channels on the enclosure's own page, and the time that it shows of them, s."""
OLD_S = 60
"""Without a reading for so long, a channel is silent (planning value)."""


def few(service: Service, enclosure_id: int, now_s: int) -> dict[str, Any]:
    """Return the first channels of an enclosure, and their last minutes, for its own page."""
    latest = service.series.latest(enclosure_id) if service.series else {}
    here = list(latest.values())[:FEW]
    window = {"start": now_s - FEW_S, "end": now_s}
    looks: Mapping[str, Look] = {}
    if service.series and here:
        names = [each.channel for each in here]
        looks = service.series.look(
            enclosure_id, names, window["start"], now_s + 1, channel_draw.SPARK_POINTS
        )
    rows = [row(each, looks[each.channel], window, now_s) for each in here]
    return {"rows": rows, "total": len(latest), "signed": False, "note": NOTE}


def row(each: Latest, look: Look, window: Mapping[str, Any], now_s: int) -> dict[str, Any]:
    """Return what was told last of a channel, and its line over a window."""
    begin_s, end_s = window["start"], window["end"]
    width_s = (end_s - begin_s) / channel_draw.SPARK_POINTS
    points = coarser(look.points, begin_s, width_s)
    at = channel_draw.frame(
        points, begin_s, end_s, width=channel_draw.SPARK_WIDTH, height=channel_draw.SPARK_HEIGHT
    )
    drawn = channel_draw.shapes(points, width_s, at)
    return {
        "channel": each.channel, "unit": each.unit, "value": channel_draw.figure(each.value),
        "at": clock(int(each.at_s)), "ago": ago(int(each.at_s), now_s),
        "silent": now_s - each.at_s > OLD_S,
        "count": sum(one.count for one in points),
        "lines": drawn["lines"], "dots": drawn["dots"],
    }  # fmt: skip
