"""All moves. A move is registered here and nowhere else; that enrols it in the conformance kit."""

from __future__ import annotations

from casemate.attacks.cold import COLD
from casemate.attacks.conducted import CONDUCTED
from casemate.attacks.cut_bus import CUT_BUS
from casemate.attacks.delay_bus import DELAY_BUS
from casemate.attacks.door import DOOR
from casemate.attacks.drill import DRILL
from casemate.attacks.dummy import DUMMY
from casemate.attacks.edge import EDGE
from casemate.attacks.emulator import EMULATOR
from casemate.attacks.etch import ETCH
from casemate.attacks.fans import FANS
from casemate.attacks.fibre import FIBRE
from casemate.attacks.glitch import GLITCH
from casemate.attacks.heat import HEAT
from casemate.attacks.heating import HEATING
from casemate.attacks.helium import HELIUM
from casemate.attacks.humidity import HUMIDITY
from casemate.attacks.jam_drill import JAM_DRILL
from casemate.attacks.jumper import JUMPER
from casemate.attacks.laser import LASER
from casemate.attacks.light import LIGHT
from casemate.attacks.load import LOAD
from casemate.attacks.magnetic import MAGNETIC
from casemate.attacks.move import Move
from casemate.attacks.needle import NEEDLE
from casemate.attacks.payload_radio import PAYLOAD_RADIO
from casemate.attacks.pocket import POCKET
from casemate.attacks.power_cut import POWER_CUT
from casemate.attacks.probe import PROBE
from casemate.attacks.radio_noise import RADIO_NOISE
from casemate.attacks.radio_pulsed import RADIO_PULSED
from casemate.attacks.radio_replay import RADIO_REPLAY
from casemate.attacks.radio_swept import RADIO_SWEPT
from casemate.attacks.radio_tone import RADIO_TONE
from casemate.attacks.relay import RELAY
from casemate.attacks.remove_tile import REMOVE_TILE
from casemate.attacks.replay import REPLAY
from casemate.attacks.seam import SEAM
from casemate.attacks.shake import SHAKE
from casemate.attacks.slow_walk import SLOW_WALK
from casemate.attacks.sound import SOUND
from casemate.attacks.swap import SWAP
from casemate.attacks.switched_scatterer import SWITCHED_SCATTERER
from casemate.attacks.xray import XRAY
from casemate.core.errors import InputError

MOVES: tuple[Move, ...] = (
    DRILL,
    POCKET,
    LASER,
    ETCH,
    JUMPER,
    PROBE,
    NEEDLE,
    FIBRE,
    SEAM,
    DOOR,
    EDGE,
    REMOVE_TILE,
    DUMMY,
    REPLAY,
    EMULATOR,
    CUT_BUS,
    DELAY_BUS,
    COLD,
    HEAT,
    GLITCH,
    POWER_CUT,
    XRAY,
    SLOW_WALK,
    SWAP,
    JAM_DRILL,
    RADIO_TONE,
    RADIO_SWEPT,
    RADIO_PULSED,
    RADIO_NOISE,
    RADIO_REPLAY,
    PAYLOAD_RADIO,
    CONDUCTED,
    MAGNETIC,
    SOUND,
    SHAKE,
    HEATING,
    LIGHT,
    HUMIDITY,
    LOAD,
    FANS,
    HELIUM,
    RELAY,
    SWITCHED_SCATTERER,
)
"""Every move, first those that go in, then those that discredit."""


def move(id: str) -> Move:
    """Return the move of this id; InputError, with the nearest, if there is none."""
    import difflib

    for each in MOVES:
        if each.id == id:
            return each
    near = difflib.get_close_matches(id, [each.id for each in MOVES], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"there is no move {id!r}.",
        remedy=f"{hint}moves: {', '.join(each.id for each in MOVES)}.",
        key="--attack",
    )
