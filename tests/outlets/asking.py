"""Has outsiders judge what the outlets send.

Starts a service with real evidence of five enclosures whose outlets lead to rsyslog, syslog-ng,
Net-SNMP, mosquitto and a receiver of webhooks, and asks each outsider what came. Prints what each
counts; the exit code is 1 if a check does not hold, or if an outsider saw too little.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import outside_receivers as outside
import programs
import with_debian
import with_grafana
import with_homeassistant
import with_libraries
import with_prometheus
import with_sparkplug
from judging import Judge
from programs import Answering
from stage import Stage, set_up, until

from casemate.fleet.alarms import outbox
from outside_programs import found

LEAST = {
    "rsyslog": 25, "syslog-ng": 20, "snmptrapd": 43, "smilint": 2, "snmptranslate": 20,
    "net-snmp": 24, "Alertmanager": 9, "cloudevents": 29, "standardwebhooks": 10,
    "grafana-foundation-sdk": 250, "@grafana/schema": 6,
    "Sparkplug": 44, "sparkplug-payload": 300, "pysparkplug": 300, "Prometheus": 55,
    "Home Assistant": 90,
}  # fmt: skip
"""Checks below which an outsider has not looked at all that there is."""
NEEDED = {
    "rsyslogd": "rsyslog rsyslog-gnutls", "snmptrapd": "snmptrapd", "snmptranslate": "snmp",
    "smilint": "smitools", "mosquitto": "mosquitto", "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus", "apt-get": "apt", "dpkg-deb": "dpkg",
}  # fmt: skip
"""Programs, and the packages of Debian that have them."""
SYSLOG_NG = ("syslog-ng-core", "libivykis0", "libnet1", "libpcre3")


def ask_all(page: Path | None) -> int:
    """Ask all, and return the exit code."""
    lacking = {NEEDED[each] for each in NEEDED if found(each) is None}
    if lacking:
        print(f"install what is missing: apt-get install {' '.join(sorted(lacking))}")
        return 2
    judges, wrong = [], []
    for each in asked():
        print(each.line, flush=True)
        for remark in each.wrong:
            wrong.append(f"{each.name}: {remark}")
        least = next(count for name, count in LEAST.items() if each.name.startswith(name))
        if len(each.held) < least:
            wrong.append(f"{each.name}: {len(each.held)} checks in place of {least}")
        judges.append(each)
    if len(judges) != len(LEAST):
        wrong.append(f"{len(judges)} outsiders in place of {len(LEAST)}")
    for remark in wrong:
        print(f"wrong: {remark}", file=sys.stderr)
    if page is not None and not wrong:
        page.write_text(written(judges), encoding="utf-8")
    return 1 if wrong else 0


def asked() -> Iterator[Judge]:
    """Yield what each says."""
    with tempfile.TemporaryDirectory(prefix="outlets-") as temporary:
        folder = Path(temporary)
        texts = next(programs.unpacked("erlang-snmp").glob("usr/lib/erlang/lib/snmp-*/mibs"))
        mibs = outside.standard_mibs(folder / "mibs", texts, with_debian.MIB)
        libraries = (str(programs.environment("libraries")), str(programs.HERE / "libraries.py"))
        packages = (programs.node(), str(programs.HERE / "packages.cjs"))
        with (
            set_up(folder, mibs, programs.unpacked(*SYSLOG_NG)) as stage,
            programs.answering(folder, *libraries) as python,
            programs.answering(folder, *packages) as node,
        ):
            yield from _staged(stage, folder, mibs, python, node)


def _staged(
    stage: Stage, folder: Path, mibs: Path, python: Answering, node: Answering
) -> Iterator[Judge]:
    versions = python.read()
    with stage.service.store.read() as link:
        sent = outbox.after(link, 0, 1 << 20)
    until(lambda: len(stage.hook.got) == len(sent), 30)
    yield from with_debian.judges(stage, sent, mibs)
    yield with_libraries.of_python(stage, sent, python, versions)
    yield with_libraries.of_node(stage, node, programs.version("standardwebhooks"))
    yield with_libraries.of_node_mib(mibs, node, programs.version("net-snmp"))
    yield with_grafana.of_python(python, versions["grafana-foundation-sdk"])
    yield with_grafana.of_typescript()
    got, traffic = with_sparkplug.recorded(stage, folder / "sparkplug", node)
    got, traffic = with_sparkplug.commands_left_out(got, traffic)
    tahu = programs.version("sparkplug-payload")
    yield with_sparkplug.of_rules(traffic, tahu)
    yield with_sparkplug.of_tahu(stage, traffic, tahu)
    yield with_sparkplug.of_python(got, traffic, python, versions["pysparkplug"])
    yield with_homeassistant.judge_panels(stage, folder / "homeassistant")
    yield from with_prometheus.judges(stage, folder / "prometheus")  # they make trouble: the last


def written(judges: list[Judge]) -> str:
    """Return the page of documentation with the figures."""
    rows = "\n".join(
        f"| {each.name} {each.version} | {each.asked} | {len(each.held)} | {len(each.wrong)} |"
        for each in judges
    )
    return f"""# Outlets, judged by others

Made by `make validate-outlets`, which starts the service with real evidence of five enclosures (armed, tampered, unknown, stale, in maintenance), lets its outlets bring what it has to tell to receivers of others, asks each what came, and fails above 0 checks that do not hold. Each judge is also given faults that it has to see, or commands that it has to refuse.

| judge | what it does | holds | does not |
|---|---|---|---|
{rows}

Not asked: Grafana's server and Sparkplug's test kit, which no registry of packages has; Home Assistant after 2024.3, which asks for a newer Python. What they found and what was mended: [decision 51](decisions/0051-outlets-judged.md).
"""  # noqa: E501  (a paragraph of Markdown is a line)
