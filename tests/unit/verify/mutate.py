"""Mutation testing of `casemate.verify` and of `attest/starts.py`, which judges quotes for it.

Each check is deleted or bent, and tests have to see it.

    python tests/unit/verify/mutate.py [FILE[:LINE] ...]

FILE is a name without its ending; files are taken in the order in which they are given. With a
line, only its mutants, those of EQUIVALENT too.

The appraisals that tests make are recorded once, with their verdicts. A mutant lives in a forked
process with the signatures checked already, and is killed by the first verdict that differs. Whole
verdicts are compared; tests hold those of all attacks, whole, and of honest lives what they assert.
Prints survivors and the score.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "src"
FILES = (*sorted((SOURCES / "casemate/verify").glob("*.py")), SOURCES / "casemate/attest/starts.py")
TESTS = [
    str(HERE / f"test_verify_{each}.py")
    for each in (
        "attacks",
        "honest",
        "emergency",
        "refused",
        "claims",
        "continuity",
        "quotes",
        "mutants",
        "bounds",
        "single",
        "watched",
        "log",
        "waiting",
        "boot",
        "ledger",
        "witnessed",
    )
]
FORGOTTEN = (
    "casemate.verify", "casemate.cli.verify_text", "casemate.attest.starts", "test_verify",
    "verify_samples",
)  # fmt: skip
CPU_S = 20
"""That a mutant may use, in case it never ends."""
UNIT_TESTS = {
    "continuity": str(HERE / "test_verify_continuity.py"),
    "clocks": str(HERE / "test_verify_mutants.py"),
}
"""Those that ask parts of the verifier, not only the whole, by the file that they ask."""
_SHORT = "a shortcut: parts of a note that no token names are named by none"
_TIMED = "for types: what witnesses have signed names a time, and none is of 1970"
EQUIVALENT: dict[str, dict[str, str]] = {
    "identity": {
        f"item is None or token is None {how}": "an entry's parts come together"
        for how in ("-> And", "without 0", "without 1")
    },
    "headline": {
        "if TYPE_CHECKING -> False": "imports for types alone",
        "walk.states.state == 'TAMPERED' and tampered is not None without 1": "for types:"
        " States that say TAMPERED add its finding",
    },
    "log": {
        "delete return": _SHORT,
        "if not self._named.get(size, set()) - {whole, b''} -> False": _SHORT,
        "if self.size in sizes -> True": "a shortcut: nobody asks for other sizes",
        "not self.against(stated, 'in the bundle') or met is None or  without 2": _TIMED,
        "met.after_s or 0 without 1": _TIMED,
        "0 -> 1 in self.echoes[size, whole] = size, met.after_s or 0": _TIMED,
        "met.witnesses[names[each.key]].time_s or 0 without 1": _TIMED,
        "0 -> 1 in have[names[each.key]] = met.witnesses[names[each.key]].time_s or 0": _TIMED,
    },
}
"""Mutants that change no verdict, by file, and why: they are left out."""
SWAPS: dict[type[ast.AST], list[Any]] = {
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt], ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Add: [ast.Sub],
    ast.Sub: [ast.Add], ast.FloorDiv: [ast.Mult], ast.Mult: [ast.FloorDiv], ast.And: [ast.Or],
    ast.Or: [ast.And],
}  # fmt: skip


def mutants(tree: ast.Module) -> Iterator[tuple[str, int, ast.Module]]:
    """Yield what was done, the line, and the bent tree."""
    nodes = list(ast.walk(tree))
    for number, node in enumerate(nodes):
        for what, change in _changes(node):
            bent = copy.deepcopy(tree)
            change(list(ast.walk(bent))[number])
            yield what, getattr(node, "lineno", 0), ast.fix_missing_locations(bent)


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for body in ("body", "orelse"):
        for at, each in enumerate(_list(node, body)):
            if isinstance(each, ast.Raise) or (
                isinstance(each, ast.Expr) and isinstance(each.value, ast.Call | ast.Yield)
            ):
                yield f"delete {ast.unparse(each)[:60]}", _set_item(body, at, ast.Pass())
            if isinstance(each, ast.Assign | ast.AugAssign) and isinstance(
                each.targets[0] if isinstance(each, ast.Assign) else each.target, ast.Attribute
            ):
                yield f"delete {ast.unparse(each)[:60]}", _set_item(body, at, ast.Pass())
            if isinstance(each, ast.Continue) or (
                isinstance(each, ast.Return)
                and (each.value is None or ast.unparse(each.value) == "None")
            ):
                yield f"delete {ast.unparse(each)}", _set_item(body, at, ast.Pass())
            given = each.value if isinstance(each, ast.Return) else None
            if isinstance(given, ast.List) and given.elts:
                yield (
                    f"empty {ast.unparse(each)[:60]}",
                    _set_item(body, at, ast.Return(ast.List([], ast.Load()))),
                )
            if isinstance(given, ast.Constant) and isinstance(given.value, bool):
                flipped = ast.Return(ast.Constant(not given.value))
                yield f"flip {ast.unparse(each)}", _set_item(body, at, flipped)
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            for other in SWAPS.get(type(operator), []):
                yield f"{ast.unparse(node)[:60]} -> {other.__name__}", _set_item("ops", at, other())
    if isinstance(node, ast.BinOp | ast.BoolOp) and not isinstance(node.op, ast.BitAnd | ast.BitOr):
        for other in SWAPS.get(type(node.op), []):
            yield f"{ast.unparse(node)[:60]} -> {other.__name__}", _set("op", other())
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        for value in (True, False):
            yield f"if {ast.unparse(node.test)[:60]} -> {value}", _set("test", ast.Constant(value))
    if isinstance(node, ast.BoolOp):
        for at in range(len(node.values)):
            neutral = ast.Constant(isinstance(node.op, ast.And))
            yield f"{ast.unparse(node)[:60]} without {at}", _set_item("values", at, neutral)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{ast.unparse(node)[:60]} without not", _replace_not()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        other = {"min": "max", "max": "min", "any": "all", "all": "any"}.get(node.func.id)
        if other:
            yield f"{ast.unparse(node)[:60]} -> {other}", _set("func", ast.Name(other, ast.Load()))
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value} -> {node.value + 1}", _set("value", node.value + 1)


def _list(node: ast.AST, field: str) -> list[Any]:
    found = getattr(node, field, None)
    return found if isinstance(found, list) else []


def _set(field: str, value: Any) -> Any:
    return lambda node: setattr(node, field, value)


def _set_item(field: str, at: int, value: Any) -> Any:
    def change(node: ast.AST) -> None:
        getattr(node, field)[at] = value

    return change


def _replace_not() -> Any:
    def change(node: ast.UnaryOp) -> None:  # not x -> not not x
        node.operand = ast.UnaryOp(ast.Not(), node.operand)

    return change


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module its bent code."""

    def __init__(self, name: str, code: Any) -> None:
        self.name, self.code = name, code

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name == self.name:
            return importlib.util.spec_from_loader(
                name, self, origin=str(SOURCES / f"{name.replace('.', '/')}.py")
            )
        return None

    def exec_module(self, module: Any) -> None:
        module.__file__ = module.__spec__.origin
        exec(self.code, module.__dict__)


def cached() -> None:
    """Let signatures be checked once: no mutant is of the code that checks them."""
    from casemate.attest import cose
    from casemate.core import suites

    real = suites.verify

    @cache
    def outcome(key: Any, message: bytes, signature: bytes) -> Exception | None:
        try:
            real(key, message, signature)
        except Exception as error:  # kept to be raised again
            return error
        return None

    def verify(key: Any, message: bytes, signature: bytes) -> None:
        error = outcome(key, message, signature)
        if error is not None:
            raise error

    suites.verify = verify
    setattr(cose, "verify", verify)  # noqa: B010 - it is imported there, not exported


def shape(result: Any) -> str:
    """Return all that a result says."""
    from casemate.cli.verify_text import as_json
    from casemate.verify import ear

    return repr((as_json(result), ear.claims(result)))


def told(case: tuple[Any, dict[str, Any]]) -> str:
    """Return the verdict on a recorded case, by the verifier that is loaded now."""
    from casemate.verify import appraise

    arguments, more = case
    try:
        return shape(appraise(*arguments, **more))
    except Exception as error:
        return repr(error)


def record() -> list[tuple[tuple[Any, dict[str, Any]], str]]:
    """Return every appraisal of the tests with its verdict; forget the verifier again."""
    import pytest

    import casemate.verify

    cases: list[Any] = []
    real = casemate.verify.appraise

    def appraise(*arguments: Any, **more: Any) -> Any:
        cases.append((arguments, more))
        return real(*arguments, **more)

    casemate.verify.appraise = appraise
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-n0", *TESTS])
    casemate.verify.appraise = real
    assert code == 0, "the tests fail without any mutant"
    out = [(case, told(case)) for case in cases]
    for name in [*sys.modules]:
        if name.startswith(FORGOTTEN):
            del sys.modules[name]
    out.sort(key=lambda each: len(each[1]))
    return out


def unit_tests(path: str) -> int:
    """Return whether a test of a part fails with the verifier that is loaded now."""
    import pytest

    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-n0", path]) != 0)


def survives(name: str, tree: ast.Module, cases: list[Any]) -> bool:
    """Return whether all verdicts are the same with the mutant; what kills it comes first then."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            code = compile(tree, f"{name}.py", "exec")
            sys.meta_path.insert(0, Finder(name, code))
            for number, (case, verdict) in enumerate(cases):
                if told(case) != verdict:
                    os.write(writer, str(number).encode())
                    os._exit(1)
            part = UNIT_TESTS.get(name.rpartition(".")[2], "")
            os._exit(unit_tests(part) if part else 0)
        except BaseException:
            os._exit(9)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    killer = os.read(reader, 20)
    os.close(reader)
    if killer:  # what kills one often kills the next
        cases.insert(0, cases.pop(int(killer)))
    if os.WIFSIGNALED(status):  # a mutant that never ends is killed; so would be a slow survivor
        print(f"  by signal {os.WTERMSIG(status)}:", flush=True)
    return status == 0


def main(files: list[str]) -> int:
    """Run all mutants of these files."""
    sys.path.insert(0, str(HERE))
    cached()
    cases = record()
    print(f"{len(cases)} appraisals", flush=True)
    killed = total = known = 0
    named = {path.stem: path for path in FILES}
    for asked in files or named:
        stem, _, only = asked.partition(":")
        path = named[stem]
        name = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        before = killed, total, known
        text = path.read_text()
        for what, line, tree in mutants(ast.parse(text)):
            if what[0].isdigit():
                what += f" in {text.splitlines()[line - 1].strip()}"
            if only and line != int(only):
                continue
            if not only and what in EQUIVALENT.get(stem, {}):
                known += 1
                continue
            total += 1
            if survives(name, tree, cases):
                print(f"SURVIVES {path.name}:{line}: {what}", flush=True)
            else:
                killed += 1
        print(
            f"{path.name}: {killed - before[0]} of {total - before[1]};"
            f" {known - before[2]} change no verdict",
            flush=True,
        )
    print(f"killed {killed} of {total}, {100 * killed / max(total, 1):.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
