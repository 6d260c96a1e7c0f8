"""The frame: instant help, exit codes, errors for people and for programs, no traceback."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.cli import main
from casemate.core.errors import DesignError, SpecError

CLI = [sys.executable, "-m", "casemate"]
HEAVY = ("numpy", "pint", "pydantic", "ortools", "shapely", "numba", "trimesh", "build123d",
         "scipy", "jinja2", "cryptography", "rfc8785", "casemate.spec")  # fmt: skip


def shell(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*CLI, *arguments], capture_output=True, text=True, timeout=60, **options
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., int]], None]:
    """Put a function of the test in the place of `casemate check`."""

    def install(run: Callable[..., int]) -> None:
        fake = types.ModuleType("casemate.cli.check")
        fake.configure = lambda parser: parser.add_argument("--json", action="store_true")  # type: ignore[attr-defined]
        fake.run = run  # type: ignore[attr-defined]
        fake.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, "casemate.cli.check", fake)

    return install


def raising(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(_args: argparse.Namespace) -> int:
        raise error

    return run


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from casemate.cli import main; assert main(['--help']) == 0; "
        f"heavy = [name for name in {HEAVY} if name in sys.modules]; assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert any(_seconds("--help") < 0.3 for _ in range(30))  # the first that other work lets be


def _seconds(*arguments: str) -> float:
    start = time.perf_counter()
    shell(*arguments)
    return time.perf_counter() - start


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "new" in out and "check" in out and "Exit codes" in out
    assert main(["check", "--help"]) == 0
    assert main(["--version"]) == 0


def test_nothing_asked_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "usage: casemate" in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc", "x"], "did you mean `casemate check`"),
        (["zzz"], "commands: new, check"),
        (["new", "tank", "x"], "invalid choice"),
        (["check", "--jsn"], "unrecognized arguments"),
        (["check"], "no spec is named"),
        (["check", "a", "b"], "unrecognized arguments"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err and "Remedy: " in captured.err and captured.out == ""
    assert main([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] and error["remedy"]


def test_error_as_json_names_file_key_value_remedy(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(SpecError("bad.", remedy="do.", file="a.toml", key="b.c", value=[1])))
    assert main(["check", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "error": {
            "kind": "SpecError",
            "message": "bad.",
            "file": "a.toml",
            "key": "b.c",
            "value": "[1]",
            "remedy": "do.",
        }
    }
    assert captured.err == "casemate: a.toml: b.c: bad. (value [1]) Remedy: do.\n"


def test_no_design_is_exit_code_1_with_the_conflict(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(DesignError("none.", remedy="relax.", conflict=("a", "b"))))
    assert main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["conflict"] == ["a", "b"]


def test_interrupt_says_that_the_old_output_is_intact(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(KeyboardInterrupt()))
    assert main(["check"]) == 130
    assert capsys.readouterr().err == "interrupted; the old output is intact\n"


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "Permission denied"), (errno.EIO, "error")],
)
def test_operating_system_errors_are_plain(
    number: int, said: str, command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(OSError(number, os.strerror(number), "/some/where")))
    assert main(["check"]) == 2
    err = capsys.readouterr().err
    assert said in err and "/some/where" in err and "Remedy" in err


def test_a_fault_of_ours_is_not_hidden(command: Callable[..., None]) -> None:
    command(raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["check"])


def test_exit_code_of_a_command_is_passed_on(command: Callable[..., None]) -> None:
    command(lambda _args: 3)
    assert main(["check"]) == 3


def test_reader_that_stops_reading() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*CLI, "check", "--schema"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert done.returncode == 141 and done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_disk_behind_standard_output() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*CLI, "check", "--schema"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_closed_standard_streams() -> None:
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *CLI, "check", "none.toml"])
    assert done.returncode == 2


WORKER = """
import pathlib, signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever tests may ignore it
from casemate.cli import main
from casemate.core.files import replaced_folder

place = pathlib.Path(sys.argv.pop())

def run(args):
    with replaced_folder(place) as staging:
        (staging / "half").write_text("x")
        print("ready", flush=True)
        time.sleep(60)

fake = types.ModuleType("casemate.cli.check")
fake.__spec__ = types.SimpleNamespace()
fake.configure, fake.run = (lambda parser: None), run
sys.modules["casemate.cli.check"] = fake
sys.argv[1:] = ["check"]
sys.exit(main())
"""
"""A command that is half through writing its output when the signal comes."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_leave_nothing_half_written(tmp_path: Path, number: int, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "the old output is intact" in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    done = subprocess.run(
        [*map(os.fsencode, CLI), b"check", b"--json", os.fsencode(tmp_path) + b"/\xff.toml"],
        capture_output=True,
    )
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert json.loads(done.stdout)["error"]["message"] == "there is no such file."


def test_no_colour_where_none_is_wanted() -> None:
    for arguments in (["--help"], ["check", "none.toml"]):
        done = shell(*arguments, env={**os.environ, "NO_COLOR": "1"})
        assert "\x1b" not in done.stdout + done.stderr
