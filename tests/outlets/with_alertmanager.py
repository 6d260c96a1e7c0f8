"""Debian's Alertmanager with the shipped example: who is called for what, and what is left out."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brokers
import outlets_kit
import outside_receivers as outside
from judging import Judge
from stage import until

ALL_S = 60


@dataclass(slots=True)
class Called:
    """Who is called. got: by receiver, the messages that came."""

    port: int = 0
    got: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def alerts(self, receiver: str) -> list[dict[str, str]]:
        """Return the labels of all alerts that a receiver was told of."""
        return [each["labels"] for told in self.got.get(receiver, []) for each in told["alerts"]]

    def names(self, receiver: str) -> set[tuple[str, str]]:
        """Return of what a receiver was told: alert and enclosure."""
        return {
            (each["alertname"].removeprefix("Casemate"), each.get("name", ""))
            for each in self.alerts(receiver)
        }


@contextmanager
def calling(folder: Path, example: Path) -> Iterator[tuple[int, Called]]:
    """Yield the port of an Alertmanager and whom it calls. Its waits are a second."""
    held = Called()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            held.got.setdefault(self.path.strip("/"), []).append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    text = example.read_text(encoding="utf-8").replace("group_wait: 30s", "group_wait: 1s")
    for name in ("pager", "desk"):
        here = f"http://127.0.0.1:{held.port}/{name}"
        text = text.replace(f"https://{name}.example.org/casemate", here)
    file, port = folder / "alertmanager.yml", brokers.free_port()
    file.write_text(text, encoding="utf-8")
    with (folder / "alertmanager.log").open("wb") as log:
        running = subprocess.Popen(
            [
                outlets_kit.program("prometheus-alertmanager"), f"--config.file={file}",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
                f"--storage.path={folder / 'alertmanager'}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        assert until(lambda: brokers.answers(port))
        yield port, held
    finally:
        running.terminate()
        running.wait(30)
        server.shutdown()
        server.server_close()


def judge_calls(called: Called, more: str) -> Judge:
    """Return who was called. more: another enclosure of which nothing is known."""
    judge = Judge(
        "Alertmanager", outside.version("prometheus-alertmanager", "--version"),
        "takes Prometheus's alerts, and calls whom the shipped example names",
    )  # fmt: skip
    wanted = {("Tampered", "gate-tampered")}
    wanted |= {("Unknown", name) for name in ("rack-unknown", "yard-stale", more)}
    until(lambda: called.names("pager") >= wanted and called.names("desk"), ALL_S)
    pager, desk = called.names("pager"), called.names("desk")
    for each in sorted(wanted):
        judge.hold(f"the pager is told: {each}", each in pager, pager)
    judge.equal("the desk is told of the warning alone", desk, {("Warning", "bench-maintenance")})
    judge.hold("the pager is not", not [x for x in pager if x[0] == "Warning"], pager)
    judge.hold("tampering once", ("Alarm", "gate-tampered") not in pager, pager)
    twice = [
        each for each in called.alerts("pager")
        if (each["alertname"], each.get("incident")) == ("CasemateAlarm", "unknown")
    ]  # fmt: skip
    judge.equal("what is not known once", twice, [])
    said = [each for rows in called.got.values() for each in rows]
    judge.equal("no message says that one is over", {x["status"] for x in said}, {"firing"})
    for each in said:
        outlets_kit.says_no_end(json.dumps([x["annotations"] for x in each["alerts"]]))
    return judge
