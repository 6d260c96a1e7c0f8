"""The security case of an enclosure, claim by claim: from the goal down to evidence and doubts."""

from __future__ import annotations

from typing import Any

from casemate.core.canonical import digest
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.errors import NotFoundError
from casemate.fleet.permits import papers
from casemate.fleet.story.told import plain
from casemate.fleet.web.asked import Asked, Reply, Service

_MOST = 200


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return one node of the argument with what supports and what challenges it.

    On the first page the doubts come first.
    """
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        case = papers.find(link, known.id, "case")
    head = {
        "title": "Security case", "id": known.id, "name": known.name, "serial": known.serial,
        "kind": known.kind, "site": known.site,
    }  # fmt: skip
    if case is None:
        return {**head, "case": None}
    return {**head, "case": _case(case, known, asked.query.get("node", "")[:100])}


def raw(service: Service, asked: Asked) -> Reply:
    """Return the file as it was handed over."""
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        data = papers.raw(link, known.id, "case")
    return Reply(body=data, kind="application/json", name=f"case-{known.id}.json")


def _case(case: dict[str, Any], known: Enclosure, asked: str) -> dict[str, Any]:
    gsn = case["gsn"]
    nodes = {each["id"]: each for each in gsn["nodes"]}
    at = asked or gsn["root"]
    if at not in nodes:
        raise NotFoundError("the case has no such claim.", remedy="begin at its goal.")
    links = gsn["links"]

    def told(kind: str, *, source: str = "", target: str = "") -> list[dict[str, Any]]:
        near = [
            x["target"] if source else x["source"]
            for x in links
            if x["kind"] == kind and at == (x["source"] if source else x["target"])
        ]
        return [_short(nodes[each]) for each in near[:_MOST]]

    return {
        "verdict": _text(case.get("verdict")),
        "warnings": _warnings(case, known),
        "root": gsn["root"],
        "is_root": at == gsn["root"],
        "node": _node(nodes[at], case),
        "path": [_short(nodes[each]) for each in _path(links, gsn["root"], at)],
        "supported_by": told("SupportedBy", source=at),
        "context": told("InContextOf", source=at),
        "challenged_by": told("Challenges", target=at),
        "challenges": told("Challenges", source=at),
        "doubts": [
            {"id": _text(each.get("id")), "text": _text(each.get("text")),
             "targets": [_text(x) for x in each.get("targets", [])][:_MOST]}
            for each in case["doubts"][:_MOST]
        ],
        "targets": [_target(each) for each in case["targets"][:_MOST]],
        "counts": _counts(case),
    }  # fmt: skip


def _warnings(case: dict[str, Any], known: Enclosure) -> list[str]:
    """Return what speaks against relying on the file as the case of this enclosure."""
    out = []
    body = {key: value for key, value in case.items() if key != "digest"}
    if digest(body) != case.get("digest"):
        out.append("its digest is not that of its content: it was changed after it was made")
    if case.get("serial") != known.serial:
        out.append(f"it is of serial {_text(case.get('serial'))}, not of this unit")
    if case.get("enclosure") != known.name:
        out.append(f"it is of enclosure {_text(case.get('enclosure'))}, not of this one")
    return out


def _path(links: list[dict[str, Any]], root: str, at: str) -> list[str]:
    """Return the claims from the goal down to a node: the shortest way, without the node."""
    up: dict[str, str] = {}
    here = {root}
    while here:
        below = set()
        for link in links:
            if link["source"] in here and link["target"] not in up and link["target"] != root:
                up[link["target"]] = link["source"]
                below.add(link["target"])
        here = below
    out: list[str] = []
    while at in up:
        at = up[at]
        out.append(at)
    return out[::-1]


def _node(node: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    proof = node.get("evidence") or {}
    about = next((x for x in case["targets"] if x.get("id") == node.get("about")), None)
    return {
        **_short(node),
        "about": _text(node.get("about")),
        "evidence": {
            key: _text(proof.get(key)) for key in ("kind", "figure", "interval", "date", "rerun")
        }
        if proof
        else None,
        "target": _target(about) if about is not None and node.get("what") == "target" else None,
    }


def _short(node: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": node["id"], "kind": node["kind"], "text": _text(node.get("text")),
        "verdict": _text(node.get("verdict")), "undeveloped": bool(node.get("undeveloped")),
    }  # fmt: skip


def _target(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("id", "text", "kind", "verdict", "why", "unit", "rerun")
    figures = {key: row.get(key) for key in ("required", "achieved")}
    return {key: _text(row.get(key)) for key in keys} | {
        key: f"{value:.6g}" if isinstance(value, int | float) else "not known"
        for key, value in figures.items()
    }


def _counts(case: dict[str, Any]) -> dict[str, int]:
    return {
        "targets": len(case["targets"]),
        "unmet": sum(each.get("verdict") != "met" for each in case["targets"]),
        "moves": len(case["moves"]),
        "moves_unmet": sum(each.get("verdict") != "met" for each in case["moves"]),
        "simulated_only": len(case.get("simulated_only") or ()),
        "assumptions": len(case["assumptions"]),
        "doubts": len(case["doubts"]),
    }


def _text(value: Any) -> str:
    return "" if value is None else plain(str(value))
