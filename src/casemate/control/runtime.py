"""The live enclosure: readers, detection, state, response, evidence and log, joined.

What runs where: pumps and the hot loop in threads of their own (readers.py, watching.py); signing
and disk behind a queue (evidence.py); keys in processes (custody.py). Nothing here waits for them
in the hot loop but what is done to keys.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from typing import Any

from casemate.attest import claims as c
from casemate.attest.keys.protocol import Erasure, HolderState, KeyHolder
from casemate.control import actions as do
from casemate.control import erased, events, evidence, machine, order, supply
from casemate.control.bounded import Bounded
from casemate.control.cosigner import Cosigner
from casemate.control.evidence import BEAT_MS, Beat, Begin, Do, Keep, Moment, Say, Writer
from casemate.control.moments import moment_of
from casemate.control.order import Keeper
from casemate.control.readers import HELD, Arrived, Far, Pump
from casemate.control.setting import Setting
from casemate.control.states import Keys, Machine, State
from casemate.control.status import Told, exit_code_of, status_of
from casemate.control.upkeep import Upkeep
from casemate.control.warm_up import warm_up
from casemate.control.watching import Seen, Watching
from casemate.core.challenge import Challenge
from casemate.core.randomness import new_secret
from casemate.detect.detector import Detector
from casemate.detect.response import LATCH
from casemate.detect.verdict import Judged

AHEAD_S = 0.5
"""From the word to the readers until their time 0."""
AGAIN_S = 3.0
"""After which parties are asked again (planning value)."""
_KEPT_LINES = 200
_KEYS = {
    HolderState.READY: Keys.LIVE,
    HolderState.SEALED: Keys.SEALED,
    HolderState.ERASED: Keys.GONE,
    HolderState.CLOSED: Keys.GONE,
}


class Runtime:
    """One enclosure while its controller runs. `start`, then `status`, then `close`."""

    def __init__(self, setting: Setting, far: Far, *, approve: bool, recommission: bool) -> None:
        self.setting, self.far = setting, far
        self._approve, self._recommission = approve, recommission
        self.told: deque[Told] = deque(maxlen=_KEPT_LINES)
        self._numbers = itertools.count(1)
        self._boot_s = time.monotonic()
        self.holder: KeyHolder | None = None
        self._approvals: dict[bytes, bytes] = {}
        self.seen: Seen | None = None
        self._memory = Keeper(setting.memory, lambda: setting.log.next_index)
        self._erased_us = 0
        self.erasure: Erasure | None = None
        self._beating, self._next_beat_ms = False, 0
        self._asked: dict[str, float] = {}
        self._booted = False
        self._worst = "NORMAL"
        self._watching: Watching | None = None
        self.cosigner: Cosigner | None = None
        self.writer = Writer(
            setting.log, setting.place, previous=setting.previous, boots=setting.boots,
            batch_s=setting.batch_s, tell=self.tell,
        )  # fmt: skip
        self.writer.known, self.writer.named = setting.known, setting.named
        now, first = self._begun()
        self._detector = Detector(
            setting.anchors, setting.policy, signatures=setting.signatures, keys=setting.anchor_keys
        )
        warm_up(self._detector, setting.window_s)
        self._first = first
        self._machine = now
        self.upkeep = Upkeep(self)

    def _begun(self) -> tuple[Machine, tuple[do.Action, ...]]:
        """Return the machine of this start, and what it asks for."""
        setting = self.setting
        if setting.saved is None and setting.boots == 0 and not setting.rolled_back:
            return setting.new, ()
        saved = None if setting.rolled_back else setting.saved
        anchor = setting.saved.anchor if setting.saved else b""
        self.holder = setting.custody.found(anchor, setting.keys) if anchor else None
        challenge = self.holder.seal() if self.holder else b""
        keys = Keys.SEALED if self.holder else Keys.GONE
        return machine.start(
            saved, setting.new, keys=keys, last_word=self.holder is not None,
            seal_challenge=challenge,
        )  # fmt: skip

    @property
    def watching(self) -> Watching:
        """Return the hot loop, once it is there."""
        assert self._watching is not None
        return self._watching

    def start(self) -> None:
        """Configure the readers and let time run."""
        setting = self.setting
        blocks: Bounded[Arrived] = Bounded(HELD)
        start_s = time.monotonic() + AHEAD_S
        self.pumps = []
        for name, reader in self.far.readers.items():
            asked = Challenge(
                key=new_secret(), modality=name, epoch=1, chip_s=reader.chip_s, order=reader.order
            )
            self.pumps.append(Pump(reader, asked, blocks))
        self.far.send({"start": start_s})
        self.started_s = start_s
        self._watching = Watching(
            self._detector, self._machine, blocks,
            {name: [k.tile for k in each.channels] for name, each in self.far.readers.items()},
            window_s=setting.window_s, start_s=start_s,
            slow_s=setting.slow_s, slipped=lambda late_s: self.far.send({"slip": late_s}),
            boot_s=self._boot_s,
            act=self._act, failed=self._check_keys, seen=self._see, keep=self._keep,
            tell=self.tell, anchor=setting.anchor,
        )  # fmt: skip
        order.carry_out(  # the boot token says that it starts
            (each for each in self._first if not isinstance(each, do.Evidence)),
            lambda each: self._act(each, self._machine),
            lambda wait: self._keep(self._machine, wait),
        )
        self.cosigner = Cosigner(
            setting.log, self.writer, setting.peers, setting.rule,
            witnessed=self._witnessed, alarm=self._rolled_back, tell=self.tell,
        )  # fmt: skip
        supply.listen(self.far, self.post)
        self.watching.start()

    def close(self) -> None:
        """End in order: detection, what waits to be written, witnesses, keys at rest."""
        if self._watching is not None:
            self._watching.close()
            self._keep(self._watching.machine, False)
        self.upkeep.modules.close()
        self.writer.close()
        if self.cosigner is not None:
            self.cosigner.close()
        if self.holder is not None:
            self.holder.close()
        self.setting.close()

    def tell(self, text: str, level: int = 0) -> None:
        """Take a line for people."""
        self.told.append(Told(number=next(self._numbers), at_s=time.time(), level=level, text=text))

    def _see(self, seen: Seen) -> None:
        """Take what is known after a window; wait for nothing."""
        self.seen = seen
        now, judged = seen.machine, seen.judged
        self._worst = max(self._worst, judged.verdict.value, key=c.VERDICTS.index)
        if not self._booted and self.holder is not None and now.keys is not Keys.GONE:
            self._booted = True
            self._begin_again(self.holder, now.state.value)
        self._advance(now, judged)
        self._keep(now, False)
        self._beat(seen)

    def _advance(self, now: Machine, judged: Judged) -> None:
        """Ask both demo parties for what is due: commissioning, release, commissioning anew."""
        if now.state is State.COMMISSIONING:
            self._recommission = False  # it is under way
        well = judged.verdict.value == "NORMAL" and not judged.findings
        if now.state is State.COMMISSIONING and now.keys is Keys.NONE and well:
            self._once("anchor", lambda: self.post(events.Anchored(anchor=self.setting.anchor)))
        elif now.state is State.COMMISSIONING and now.ready and now.fresh and self._enrolled:
            self._once("commission", lambda: self._approved(now, "commission", now.anchor))
        elif self._recommission and now.state is not State.COMMISSIONING:
            self._once("recommission", lambda: self._approved(now, "recommission", b""))
        elif self._approve and now.state is State.UNKNOWN and now.ready and now.seal_challenge:
            self._once("release", lambda: self._release(now))

    @property
    def _enrolled(self) -> bool:
        """Return whether witnesses have seen the start of these keys, and parties taken them."""
        return self.writer.seen and self.setting.enrolled

    def _once(self, what: str, call: Any) -> None:
        """Begin what parties have to sign; again after a while, if nothing came of it."""
        now_s = time.monotonic()
        if now_s - self._asked.get(what, -AGAIN_S) >= AGAIN_S:
            self._asked[what] = now_s
            threading.Thread(target=call, daemon=True).start()

    def _beat(self, seen: Seen) -> None:
        at_ms = self.uptime_ms()
        due = self._beating and at_ms >= self._next_beat_ms
        if not due or seen.machine.keys not in (Keys.LIVE, Keys.SEALED):
            return
        self._next_beat_ms = max(self._next_beat_ms + BEAT_MS, at_ms - BEAT_MS)
        self.writer.put(
            Beat(
                verdict=self._worst,
                health=seen.flags
                | supply.flag(seen.machine)
                | self.upkeep.parts.flag(seen.machine),
                centinats=_clipped(100.0 * seen.judged.nats),
                information=_clipped(100.0 * seen.information),
                at=self._moment(seen.machine.state.value, at_ms),
            )
        )
        self._worst = "NORMAL"
        self.watching.settle_flags()
        self._check_keys()

    def _act(self, action: do.Action, now: Machine) -> None:
        if self.upkeep.act(action):
            return
        match action:
            case do.Zeroise():
                self._zeroise()
            case do.Seal():
                if self.holder is not None and self.holder.state is not HolderState.ERASED:
                    self.post(events.Sealed(challenge=self.holder.seal()))
            case do.Unseal():
                if self.holder is not None:
                    self.holder.unseal(self._approvals[action.document])
            case do.MakeKeys():
                self._make(action.anchor)
            case do.Evidence():
                self._record(action)
            case do.Alert():
                self.tell(action.reason, action.level)
            case do.Refuse():
                self.tell(f"refused: {action.reason}")
            case _:
                name = type(action).__name__
                if name not in self._asked:
                    self._asked[name] = time.monotonic()
                    self.tell(f"{name} is asked for; nothing here carries that out")

    def _zeroise(self) -> None:
        if self.holder is None:
            return
        figures, began_s = self.watching.figures, time.monotonic() - self.watching.judged_s
        self.erasure = erasure = self.holder.zeroise()
        self.writer.put(Keep(self.setting.custody.make_durable))
        figures.gone, figures.verified = told = erased.times(erasure, began_s)
        self._erased_us = round(1e6 * told[0])
        self.tell(erased.in_words(erasure, began_s), 4)

    def _make(self, anchor: bytes) -> None:
        if self.holder is not None:
            self.holder.close()
        self.holder = self.setting.custody.make(anchor)
        self._booted = True
        self._begin_tokens(
            self.holder, "COMMISSIONING", "commissioning", self.setting.enrol(self.holder)
        )
        self._log_permit()

    def _log_permit(self) -> None:
        """Log the permit under which new keys take over from earlier ones."""
        if self.setting.boots == 0 or self.writer.known is None:
            return
        digest, signed = self.setting.recommissioning(self.writer.known)
        body = c.PermitUse(act="logged", permit=digest, signed=signed)
        self.writer.put(Say(body=body, at=self._moment("COMMISSIONING", self.uptime_ms())))

    def _begin_tokens(self, holder: KeyHolder, state: str, reason: str, then: Any = None) -> None:
        self.writer.put(
            Begin(holder=holder, reason=self._with_caveat(reason), then=then,
                  components=self.setting.components, unwatched=self.setting.wanted.unwatched,
                  at=self._moment(state, self.uptime_ms()))
        )  # fmt: skip
        self._beating, self._next_beat_ms = state == "UNKNOWN", self.uptime_ms() + BEAT_MS

    def _begin_again(self, holder: KeyHolder, state: str) -> None:
        """Say that the controller starts; what was reached and never said comes after that."""
        said = self.setting.said
        told = state if state == said else said if said == "COMMISSIONING" else "UNKNOWN"
        self._begin_tokens(holder, told, "the controller starts")
        self._beating = state == "UNKNOWN"
        if told != state:
            body = c.Change(before=told, after=state, reason="reached before the start, not told")
            self.writer.put(Say(body=body, at=self._moment(state, self.uptime_ms())))

    def _record(self, action: do.Evidence) -> None:
        record, at_ms = action.record, self.uptime_ms()
        body: c.Body
        if action.by is do.Signer.LAST_WORD:
            body = c.LastWord(reason=record.reason, erased_us=self._erased_us)
        elif action.by is do.Signer.KEYS and record.kind == "state":
            body = c.Change(
                before=record.before, after=record.after, reason=self._with_caveat(record.reason),
                detail=record.subject, inventory=self.upkeep.parts.begun_with(record),
            )  # fmt: skip
        else:
            self.tell(f"{record.kind}: {record.reason}")
            if action.by is do.Signer.KEYS:
                at = self.moment(record.after)
                for body in self.upkeep.bodies(record):
                    self.writer.put(Say(body=body, at=at))
                self.writer.put(Do(lambda: None))  # heartbeats that wait say it now
            return
        self.writer.put(Say(body=body, at=self._moment(record.after, at_ms)))
        self.tell(f"{record.before} to {record.after}: {record.reason}")
        self._worst = "NORMAL"  # the token tells the verdict that led here; what was before is told
        if record.after in ("ARMED", "MAINTENANCE") and not self._beating:
            self._beating, self._next_beat_ms = True, at_ms + BEAT_MS
            self.watching.figures.verdict.clear()  # of an enclosure that guards, not of its start

    def _with_caveat(self, reason: str) -> str:
        return "; ".join(filter(None, (reason, self.setting.wanted.caveat)))

    def _keep(self, now: Machine, wait: bool) -> None:
        """Have the memory kept: before all records that follow, or before this returns."""
        if self._memory.note(now):
            self.writer.put(Keep(self._memory.write))
        if wait:
            self._memory.write()

    def _check_keys(self) -> None:
        """Tell the machine what the key holder has, by its own account."""
        known = self.watching.machine.keys
        found = _KEYS[self.holder.state] if self.holder is not None else Keys.GONE
        if found is not known and known is not Keys.NONE:
            self.post(events.KeysFound(keys=found))

    def _approved(self, now: Machine, purpose: str, subject: bytes) -> None:
        """Have both demo parties sign, and bring it in."""
        if purpose == "commission" and not self.upkeep.parts.commission(now):
            return
        found, _ = self.setting.approved(purpose, now.challenge, subject)
        if purpose == "commission":
            self.post(events.Commission(approval=found))
        else:
            self.post(events.Recommission(approval=found))

    def _release(self, now: Machine) -> None:
        assert self.holder is not None
        if not self.upkeep.parts.release():
            return
        found, document = self.setting.approved(
            "unseal", now.seal_challenge, self.holder.public()[-1].kid
        )
        self._approvals[found.document] = document
        self.post(events.Release(approval=found))

    def _witnessed(self, size: int, by_s: float, made_s: float, least_s: float) -> None:
        made_s -= self._boot_s
        self.post(events.Witnessed(size=size, quorum_s=by_s, made_s=made_s, least_s=least_s))

    def _rolled_back(self, text: str) -> None:
        self.tell(text, LATCH)
        self.post(events.Checked(passed=False, anchor=b""))

    def guards(self) -> bool:
        """Return whether payload may be signed now."""
        return self.watching.machine.signs_payload

    def say_payload(self, body: c.Payload, then: evidence.Signed, lost: evidence.Lost) -> None:
        """Have payload signed; `then` gets the token once it is durable, or `lost` is called."""
        at = self._moment(self.watching.machine.state.value, self.uptime_ms())
        self.writer.put(Say(body=body, at=at, then=then, lost=lost))

    def uptime_ms(self) -> int:
        """Return the time since the controller has started."""
        return int(1e3 * (time.monotonic() - self._boot_s))

    def _moment(self, state: str, at_ms: int) -> Moment:
        return moment_of(self.watching, self.seen, state, at_ms, self.setting.anchor)

    def moment(self, state: str) -> Moment:
        """Return what holds now, in `state`."""
        return self._moment(state, self.uptime_ms())

    def post(self, event: events.Event) -> None:
        """Let the machine take an event soon; before `start`, none."""
        if self._watching is not None:
            self._watching.inbox.put(event)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer who asks at the desk: a step of a permit, or else the status."""
        return self.upkeep.answer(question)

    def status(self) -> dict[str, Any]:
        """Return what is known now, as JSON values."""
        return status_of(self)

    @property
    def exit_code(self) -> int:
        """Return 0 if it is armed and well, 1 for an alarm, 3 for what is not known."""
        return exit_code_of(self.status())


def _clipped(value: float) -> int:
    return int(min(max(value, 0.0), 65_535.0))
