"""Home Assistant's own core and MQTT integration, at the broker that the service publishes to."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import brokers
import programs
from judging import Judge
from stage import Stage, until

from casemate.fleet.appraisal.shown import STATES
from casemate.fleet.outlets import broker as outlets_broker
from casemate.fleet.outlets.mqtt import MqttOutlet
from casemate.fleet.outlets.outlet import Told
from casemate.fleet.outlets.settings import Mqtt
from casemate.fleet.outlets.standing import Standing, standings

PANELS = {
    "rack-armed": "armed_away", "gate-tampered": "triggered", "rack-unknown": "triggered",
    "yard-stale": "triggered", "bench-maintenance": "armed_custom_bypass",
}  # fmt: skip
"""What each enclosure of the stage has to be shown as."""
WORDS = {
    "ARMED": "armed_away", "MAINTENANCE": "armed_custom_bypass", "COMMISSIONING": "arming",
    "RETIRED": "disarmed", "UNKNOWN": "triggered", "TAMPERED": "triggered",
}  # fmt: skip
"""What each state has to be shown as, written down a second time."""
SERVICES = (
    "alarm_disarm", "alarm_arm_away", "alarm_arm_home", "alarm_arm_night", "alarm_arm_vacation",
    "alarm_arm_custom_bypass", "alarm_trigger",
)  # fmt: skip
REFUSED = "casemate_takes_no_commands"


class Core:
    """Home Assistant, as it answers."""

    def __init__(self, held: programs.Answering) -> None:
        self._held = held
        self.version = str(held.read()["version"])

    def states(self) -> dict[str, dict[str, Any]]:
        """Return what is shown, by entity, without what is Home Assistant's own."""
        found = self._held.ask("states")
        return {name: each for name, each in found.items() if not name.startswith("zone.")}

    def word(self, name: str) -> str:
        """Return what the panel of an enclosure shows."""
        return str(self.states().get(entity(name), {}).get("state"))

    def ask(self, asked: str, **given: object) -> Any:
        """Return the answer to a question."""
        return self._held.ask(asked, **given)


def entity(name: str) -> str:
    """Return what Home Assistant calls the panel of an enclosure."""
    return f"alarm_control_panel.{name.replace('-', '_')}_chassis_intrusion"


def judge_panels(stage: Stage, folder: Path) -> Judge:
    """Return what Home Assistant makes of the service's messages, and of troubles with them."""
    python, script = programs.environment("homeassistant"), programs.HERE / "homeassistant_core.py"
    folder.mkdir()
    with programs.answering(folder, str(python), str(script), str(stage.broker.port)) as held:
        core = Core(held)
        judge = Judge(
            "Home Assistant", core.version,
            "builds panels from what the service publishes, shows states, refuses commands",
        )  # fmt: skip
        _shown(judge, stage, core)
        _refused(judge, stage, core)
        judge.equal("nothing else to warn of", [x for x in core.ask("log") if REFUSED not in x], [])
    with (
        brokers.mosquitto(folder) as broker,
        programs.answering(folder, str(python), str(script), str(broker.port)) as held,
    ):
        _troubled(judge, stage, Core(held), broker)
    return judge


def _shown(judge: Judge, stage: Stage, core: Core) -> None:
    until(lambda: core.word("rack-armed") == "armed_away", 20)
    states = core.states()
    panels = [each for each in states if each.startswith("alarm_control_panel.")]
    judge.equal("one panel an enclosure", sorted(panels), sorted(map(entity, PANELS)))
    with stage.service.store.read() as link:
        held = {each.name: each for each in standings(link, stage.service.now_s())}
    registered = {each["entity"]: each for each in core.ask("registry")}
    for name, word in PANELS.items():
        row, one = states.get(entity(name), {}), held[name]
        judge.equal(f"{name} is shown", row.get("state"), word)
        judge.equal("no feature", row.get("supported_features"), 0)
        seen = [row.get(x) for x in ("serial", "site", "incident", "seen_by_a_person")]
        judge.equal("attributes", seen, [one.serial, one.site, one.incident, one.acknowledged])
        device = registered.get(entity(name), {})
        seen = [device.get(x) for x in ("device", "serial", "model", "area")]
        judge.equal("device", seen, [name, one.serial, one.kind, one.site])
    service = "binary_sensor.localhost_casemate_service"  # it says so every ten seconds
    judge.hold("the service speaks", until(lambda: core.states()[service]["state"] == "on", 20))


def _refused(judge: Judge, stage: Stage, core: Core) -> None:
    for name in PANELS:
        for service in SERVICES:
            told = core.ask("call", service=service, entity=entity(name))
            judge.hold(f"{service} is refused", told != "done", told)
    time.sleep(0.5)
    judge.equal("and nothing is published", stage.heard.of("/nobody-listens"), [])


def _troubled(judge: Judge, stage: Stage, core: Core, broker: brokers.Mosquitto) -> None:
    """States one after the other, a connection that breaks, one that hangs, an end."""
    given = Mqtt(
        name="ha", host="127.0.0.1", port=broker.port, user="", password=b"", tls=None,
        base="casemate", discovery="homeassistant", group="",
    )  # fmt: skip
    told = Told(service="localhost", clock=time.time, boots=1, again=lambda: 2)
    with stage.service.store.read() as link:
        one = next(x for x in standings(link, stage.service.now_s()) if x.name == "rack-armed")
    to, now = MqttOutlet(given, told), [one]

    def shows(what: str, word: str, longest_s: float = 20) -> None:
        judge.hold(what, until(lambda: core.word(one.name) == word, longest_s),
                   core.word(one.name))  # fmt: skip

    to.tend(lambda: now)
    shows("armed at first", "armed_away")
    for state in STATES:
        for severity in ("", "alarm", "unknown", "warning"):
            now[0] = replace(one, state=state, severity=severity)
            to.tend(lambda: now)
            word = "triggered" if severity in ("alarm", "unknown") else WORDS[state]
            shows(f"{state} {severity}", word)
    now[0] = one
    to.tend(lambda: now)
    shows("armed again", "armed_away")
    client = to._broker._client
    assert client is not None
    client.socket().shutdown(SHUT_RDWR)  # type: ignore[union-attr]
    shows("not available once the connection breaks", "unavailable")
    to.tend(lambda: now)
    shows("armed once it stands", "armed_away")
    _hangs(judge, to, now, shows)
    to.close()
    shows("not available after an end", "unavailable")


def _hangs(judge: Judge, to: MqttOutlet, now: list[Standing], shows: Any) -> None:
    """Tend nothing for longer than anybody may, though the connection stands."""
    before = outlets_broker.CUT_S
    outlets_broker.CUT_S = 3.0
    try:
        shows("not available while the outlet hangs", "unavailable")
    finally:
        outlets_broker.CUT_S = before
    to.tend(lambda: now)
    shows("armed once it is tended", "armed_away")
