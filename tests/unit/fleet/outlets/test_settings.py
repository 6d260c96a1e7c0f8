"""Outlets in the settings: what is wrong is named, once, with what to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from receivers import identity

from casemate.core.errors import InputError
from casemate.fleet.outlets import settings
from casemate.fleet.outlets.settings import Mqtt, Snmp, Syslog, Webhook
from casemate.fleet.service import home

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SYSLOG = {"name": "siem", "kind": "syslog", "host": "siem.example.org", "ca": "ca.pem"}
WEBHOOK = {"name": "soc", "kind": "webhook", "url": "https://soc.example/in", "secret": "signing"}
MQTT = {"name": "ha", "kind": "mqtt", "host": "broker.example", "user": "u", "password": "secret"}
SNMP = {
    "name": "noc", "kind": "snmp", "host": "noc.example", "user": "u", "auth": "secret",
    "privacy": "secret",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with certificates, a secret, one that others may read, and one that is short."""
    identity(tmp_path)
    for name, text, mode in (
        ("secret", "a secret of many bytes\n", 0o600), ("open", "a secret of many bytes", 0o644),
        ("short", "short", 0o600), ("bad.pem", "no certificate", 0o600),
        ("odd", "a secret\nof two lines ü", 0o600), ("signing", f"{SIGNING}\n", 0o600),
        ("brief", "whsec_c2hvcnQ=", 0o600), ("letters", f"{SIGNING}!", 0o600),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    return tmp_path


def read(folder: Path, *rows: Any) -> tuple[settings.Settings, ...]:
    """Return the outlets of rows."""
    return settings.read(list(rows), folder, folder / "fleet.json")


def test_each_kind_with_what_it_takes_for_granted(folder: Path) -> None:
    siem, soc, ha, noc = read(folder, SYSLOG, WEBHOOK, MQTT, SNMP)
    assert isinstance(siem, Syslog) and (siem.port, siem.confirms) == (6514, True)
    assert isinstance(soc, Webhook) and soc.networks == ()
    assert soc.secret.hex().startswith("31f290f6bf06298aab4f08d4") and len(soc.secret) == 24
    assert isinstance(ha, Mqtt) and (ha.port, ha.base, ha.discovery) == (8883, "casemate", "")
    assert isinstance(noc, Snmp) and (noc.port, noc.confirmed) == (162, True)
    assert [settings.kind_of(each) for each in (siem, soc, ha, noc)] == [
        "syslog", "webhook", "mqtt", "snmp",
    ]  # fmt: skip
    for each in ("a secret of", SIGNING, repr(soc.secret)):
        assert each not in repr((siem, soc, ha, noc))  # no log tells it


WRONG: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    (SYSLOG, {"host": None}, "host"), (SYSLOG, {"host": "a b"}, "host"),
    (SYSLOG, {"host": "a\r\nb"}, "host"), (SYSLOG, {"port": 0}, "port"),
    (SYSLOG, {"port": True}, "port"), (SYSLOG, {"port": "6514"}, "port"),
    (SYSLOG, {"ca": "none.pem"}, "ca"), (SYSLOG, {"ca": "bad.pem"}, "ca"),
    (SYSLOG, {"confirms": 1}, "confirms"), (SYSLOG, {"name": "Siem"}, "name"),
    (SYSLOG, {"name": "a\nb"}, "name"), (SYSLOG, {"name": None}, "name"),
    (SYSLOG, {"kind": "email"}, "kind"), (SYSLOG, {"kind": 7}, "kind"),
    (SYSLOG, {"secret": "secret"}, "secret"),
    (WEBHOOK, {"url": "http://soc.example/in"}, "url"), (WEBHOOK, {"url": "https://"}, "url"),
    (WEBHOOK, {"url": "https://u:p@soc.example/"}, "url"), (WEBHOOK, {"url": 5}, "url"),
    (WEBHOOK, {"url": "https://soc.example/a b"}, "url"),
    (WEBHOOK, {"url": "https://soc.example:99999/"}, "url"),
    (WEBHOOK, {"url": "https://soc.example/#x"}, "url"),
    (WEBHOOK, {"url": "https://soc.example/\r\nX: y"}, "url"),
    (WEBHOOK, {"url": "https://[::1/"}, "url"),
    (WEBHOOK, {"secret": None}, "secret"), (WEBHOOK, {"secret": "open"}, "secret"),
    (WEBHOOK, {"secret": "short"}, "secret"), (WEBHOOK, {"secret": "odd"}, "secret"),
    (WEBHOOK, {"secret": "none"}, "secret"), (WEBHOOK, {"secret": "secret"}, "secret"),
    (WEBHOOK, {"secret": "brief"}, "secret"), (WEBHOOK, {"secret": "letters"}, "secret"),
    (WEBHOOK, {"networks": ["10.0.0.1/8"]}, "networks"), 
    (WEBHOOK, {"networks": "10/8"}, "networks"),
    (WEBHOOK, {"networks": [7]}, "networks"),
    (MQTT, {"plain": True}, "plain"), (MQTT, {"base": "a/+"}, "base"), (MQTT, {"base": ""}, "base"),
    (MQTT, {"base": "$SYS"}, "base"), (MQTT, {"base": "/a"}, "base"),
    (MQTT, {"group": "a/b"}, "group"), (MQTT, {"password": None}, "password"),
    (SNMP, {"auth": None}, "auth"), (SNMP, {"privacy": "short"}, "privacy"),
    (SNMP, {"user": "x" * 33}, "user"), (SNMP, {"confirmed": "yes"}, "confirmed"),
)  # fmt: skip


@pytest.mark.parametrize(("row", "change", "key"), WRONG)
def test_each_wrong_key_is_named(
    folder: Path, row: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    changed = {name: value for name, value in {**row, **change}.items() if value is not None}
    with pytest.raises(InputError) as caught:
        read(folder, changed)
    assert caught.value.key == f"outlets[0].{key}"
    assert caught.value.file.endswith("fleet.json") and caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rows", ({}, "x", [7], [[]], None))
def test_what_is_no_list_of_outlets(folder: Path, rows: object) -> None:
    with pytest.raises(InputError, match="outlets"):
        settings.read(rows, folder, folder / "fleet.json")


def test_two_of_one_name_and_too_many(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(folder, SYSLOG, {**WEBHOOK, "name": "siem"})
    assert caught.value.key == "outlets[1].name"
    with pytest.raises(InputError, match="more than"):
        read(folder, *[{**SYSLOG, "name": f"a{each}"} for each in range(40)])


def test_a_service_with_wrong_settings_does_not_start(tmp_path: Path) -> None:
    """Rather than to start and to tell nobody."""
    made = home.make(tmp_path / "service", "localhost")
    file = tmp_path / "service" / home.SETTINGS
    row = json.loads(file.read_text())
    file.write_text(json.dumps({**row, "outlets": [{"name": "siem", "kind": "syslog"}]}))
    with pytest.raises(InputError, match="missing"), home.running(home.read(made.folder)):
        pass
    file.write_text(json.dumps({**row, "outlets": {}}))
    with pytest.raises(InputError, match="outlets"), home.running(home.read(made.folder)):
        pass
