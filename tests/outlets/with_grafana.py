"""Grafana's own models of dashboards: its foundation SDK in Python, its schema in TypeScript."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import programs
from judging import Judge
from programs import Answering

SHIPPED = Path(__file__).parents[2] / "deploy" / "monitoring" / "grafana" / "casemate.json"
_CHECK = """
import type { Dashboard, DataQuery, Panel } from "@grafana/schema";
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
interface Query extends DataQuery {
  expr: string; instant?: boolean; range?: boolean; legendFormat?: string;
  format?: "table" | "time_series" | "heatmap";
}
type Shown = Omit<Plain<Panel>, "targets"> & { targets: Plain<Query>[] };
export const shipped: Omit<Plain<Dashboard>, "panels"> & { panels: Shown[] } = DASHBOARD;
"""
"""Enumerations stand for their values; fields of Prometheus's queries are no part of the schema."""


def of_python(libraries: Answering, version: str) -> Judge:
    """Return what the SDK loses of our dashboard."""
    judge = Judge(
        "grafana-foundation-sdk (Python)", version.partition("!")[2] or version,
        "reads the dashboard into Grafana's model; what it writes again lacks nothing",
    )  # fmt: skip
    ours = json.loads(SHIPPED.read_text(encoding="utf-8"))
    told = libraries.ask("dashboard", dashboard=ours)
    judge.hold("it is read", "answer" in told, told)
    made = told.get("answer", {"dashboard": {}, "targets": []})
    for path, value in _leaves(ours):
        judge.equal(path, _at(made["dashboard"], path), value)
    kinds = made["targets"]
    judge.hold("queries are Prometheus's", kinds and all("prometheus" in x for x in kinds), kinds)
    odd = deepcopy(ours)
    odd["panels"][0]["fieldConfig"]["defaults"]["treshold"] = 1
    told = libraries.ask("dashboard", dashboard=odd)["answer"]["dashboard"]
    judge.hold("a key that Grafana does not know is seen", "treshold" not in json.dumps(told))
    return judge


def of_typescript() -> Judge:
    """Return what the compiler says of our dashboard as a value of Grafana's type."""
    judge = Judge(
        "@grafana/schema (TypeScript)", programs.version("@grafana/schema"),
        "types of the dashboard: no key that it does not know, none of another type",
    )  # fmt: skip
    ours = json.loads(SHIPPED.read_text(encoding="utf-8"))
    said = _compiled(ours)
    judge.equal("the compiler has no remark", said, "")
    for name, path, value in _FAULTS:
        odd = deepcopy(ours)
        _put(odd, path, value)
        judge.hold(f"seen: {name}", "error" in _compiled(odd))
    return judge


_FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("a key that is not known", "/panels/0/treshold", 1),
    ("a mode that is none", "/panels/0/fieldConfig/defaults/thresholds/mode", "absolut"),
    ("a text for a number", "/panels/0/gridPos/w", "6"),
    ("a query that has no name", "/panels/0/targets/0/refId", None),
    ("a number for a colour", "/panels/0/fieldConfig/defaults/thresholds/steps/0/color", 5),
)


def _compiled(dashboard: Any) -> str:
    place = programs.packages()
    text = _CHECK.replace("DASHBOARD", json.dumps(dashboard, indent=1))
    (place / "dashboard.ts").write_text(text, encoding="utf-8")
    tsc = place / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [programs.node(), str(tsc), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
         "--module", "nodenext", "--moduleResolution", "nodenext", "dashboard.ts"],
        cwd=place, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that holds no others, with its path."""
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in rows:
        if isinstance(each, dict | list) and each:
            yield from _leaves(each, f"{path}/{key}")
        else:
            yield f"{path}/{key}", each


def _at(value: Any, path: str) -> Any:
    for key in path.split("/")[1:]:
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError):
            return "lost"
    return value


def _put(value: Any, path: str, made: Any) -> None:
    *before, last = path.split("/")[1:]
    for key in before:
        value = value[int(key)] if isinstance(value, list) else value[key]
    if made is None:
        del value[last]
    else:
        value[last] = made
