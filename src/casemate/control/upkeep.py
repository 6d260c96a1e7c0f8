"""Permits on the running enclosure: what people ask at its desk, and what the machine orders.

A permit is checked, logged and cosigned before it is in use; a module that is put in proves who it
is, both parties sign what it reads, and the work ends when all is well with nothing left out.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from casemate.attest import claims as c
from casemate.attest import permit as permits
from casemate.attest import token
from casemate.attest.parties import signed_by
from casemate.control import actions as do
from casemate.control import closing, documents, events, reanchor, trust
from casemate.control.anchor_file import anchors_of, digest_of
from casemate.control.evidence import Do, Say
from casemate.control.module_watch import ModuleWatch
from casemate.control.parts import Parts
from casemate.control.permits import REANCHOR, Phase, token_from
from casemate.control.rekeying import Rekeying
from casemate.control.roll_call import RollCall
from casemate.control.scope import Scope
from casemate.core.errors import CasemateError, InputError, PermitError
from casemate.core.whole_file import write_whole
from casemate.detect.anchor import AnyAnchor, check_signed
from casemate.detect.mask import Mask
from casemate.translog import merkle

if TYPE_CHECKING:
    from casemate.control.runtime import Runtime

WAIT_S = 60.0
"""For the log, witnesses or checks, before who asked is told that it takes longer."""
AGAIN_S = 1.0
"""After which witnesses are asked again for a permit that waits."""
WITNESS_S = 1.0
"""By which a witness's time, in whole seconds, may be too early: a permit ends so much sooner."""
PROPOSED = "proposed.json"
"""In anchor/: what a module reads, for both parties to sign."""


class Upkeep:
    """What a runtime does with permits. All but `act` and `bodies` may be called by any thread."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._setting = runtime.setting
        self._signed: dict[bytes, bytes] = {}
        self._refused: list[str] = []
        self._proposed: tuple[tuple[AnyAnchor, ...], bytes] | None = None
        self._granted: tuple[tuple[AnyAnchor, ...], bytes, list[bytes]] | None = None
        self._moves: tuple[reanchor.Moved, ...] = ()
        self._desk, self._rekeying = threading.Lock(), Rekeying(runtime)
        self.modules = ModuleWatch(
            runtime.setting.place, known=runtime.setting.module_keys, ask=runtime.far.send,
            post=runtime.post,
        )  # fmt: skip
        self.roll = RollCall(
            runtime.setting.place, places=runtime.setting.keyed_places,
            known=runtime.setting.module_keys, ask=runtime.far.send,
        )  # fmt: skip
        self.parts = Parts(
            self._setting, self._setting.wanted.modules - set(runtime.far.readers), self.roll,
            runtime.tell,
        )  # fmt: skip
        runtime.far.hear = self.hear

    # -- what the machine orders, in the thread of detection --

    def act(self, action: do.Action) -> bool:
        """Carry out an action that belongs here; return whether it did."""
        match action:
            case do.SubmitPermit():
                self._submit(action.permit)
            case do.Mask():
                self._runtime.watching.leave_out(action.scope, self._mask(action.scope))
                if action.scope:
                    self.modules.forget()
                    self.parts.forget()
                    self._proposed = self._granted = None
            case do.Unlock() | do.Lock():
                name = "unlock" if isinstance(action, do.Unlock) else "lock"
                self._runtime.far.send({name: sorted(action.faces)})
                self._runtime.tell(f"{name}: {', '.join(sorted(action.faces))}")
            case do.MoreChips():
                return self._rekeying.more_chips()
            case do.Refuse():
                self._refused.append(action.reason)
                return False
            case _:
                return False
        return True

    def bodies(self, record: do.Record) -> tuple[c.Body, ...]:
        """Return what tokens of kind "permit" have to say of a record; take what it grants."""
        if record.act == "re-anchored":
            return self._adopted(record.subject)
        if record.act == "emergency":
            return (c.PermitUse(act="emergency", note=record.reason),)
        if not record.act or not record.subject:
            return ()
        note = record.reason if record.act != "opened" or record.kind == "module" else ""
        return (c.PermitUse(act=record.act, permit=record.subject, module=record.place, note=note),)

    def _submit(self, digest: bytes) -> None:
        signed = self._signed.get(digest)
        if signed is None:
            return
        now = self._runtime.watching.machine
        body = c.PermitUse(act="logged", permit=digest, signed=signed)

        def logged(data: bytes) -> None:
            index = token.peek(data)[1].sequence
            self._runtime.post(events.PermitLogged(permit=digest, index=index))

        self._runtime.writer.put(
            Say(body=body, at=self._runtime.moment(now.state.value), then=logged)
        )

    def _mask(self, scope: Scope) -> Mask:
        tiles = self._setting.wanted.tiles
        return Mask(
            tiles=frozenset().union(*(tiles.get(each, {each}) for each in scope.faces)),
            modalities=scope.modules & frozenset(self._runtime.watching.detector.live),
        )

    def _adopted(self, digest: bytes) -> tuple[c.Body, ...]:
        """Let detection go on with anchors that both parties have signed."""
        granted, work = self._granted, self._runtime.watching.machine.work
        if granted is None or work is None or digest_of(granted[1]) != digest:
            return ()
        found, data, signatures = granted
        watching = self._runtime.watching
        new = {each.modality: each for each in found if each.modality in work.terms.scope.modules}
        watching.detector.afresh(Mask(modalities=frozenset(new)), new)
        watching.anchor = digest
        self._proposed = self._granted = None
        inventory, named = self.parts.granted()

        def take() -> None:
            self._setting.take_anchors(found, data, signatures)
            self.parts.take(inventory)

        self._runtime.writer.put(Do(take))
        use = c.PermitUse(
            act="re-anchored", permit=work.terms.permit, anchor=digest, inventory=named
        )
        self.roll.replaced(self.modules.proven)
        proven = sorted(self.modules.proven.items())
        return tuple(replace(use, module=name, keys=(key,)) for name, key in proven) or (use,)

    # -- what the far side says --

    def hear(self, said: dict[str, Any]) -> None:
        """Take what modules and faces say of themselves; what is malformed says nothing."""
        try:
            if "announced" in said:
                self.modules.announced(str(said["announced"]))
            elif "identified" in said:
                nonce, signature = bytes.fromhex(said["nonce"]), bytes.fromhex(said["signature"])
                module = str(said["identified"])
                if not self.roll.answered(module, nonce, signature):
                    self.modules.answered(module, nonce, signature)
            elif "measured" in said:
                self._measured(str(said["measured"]).encode())
            elif "face" in said:
                self._runtime.post(self._moved_face(str(said["face"]), said["open"] is True))
        except (CasemateError, ValueError, KeyError, TypeError) as error:
            self._runtime.tell(f"what a module says is not taken: {error}", 1)

    def _moved_face(self, face: str, opened: bool) -> events.Event:
        """Return what a face's switch says; a modality that notices by itself corroborates it."""
        if not opened:
            return events.Closed(face=face)
        judged = self._runtime.watching.judged
        return events.Opened(face=face, corroborated=judged is not None and bool(judged.seen_by))

    def _measured(self, data: bytes) -> None:
        """Take anchors with what a module reads, if nothing but that has changed."""
        now = self._runtime.watching.machine
        found = anchors_of(data)
        self._moves = reanchor.moved(self._setting.anchors, found, now.masked.modules)
        folder = self._setting.wanted.folder / "anchor"
        write_whole(folder / PROPOSED, data.decode())
        self._proposed = found, data
        told = [f"{m.modality} {m.largest:.2%}, {m.share:.0%} of what must be caught"
                for m in self._moves]  # fmt: skip
        self._runtime.tell(f"measured: {'; '.join(told) or 'nothing has changed'}")

    # -- what people ask --

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer a question at the desk: a step of a permit, or else the status."""
        steps: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "use": self._use, "finish": self._finish, "emergency": self._emergency,
            "anchor": self._anchor, "re-anchor": self._reanchor,
        }  # fmt: skip
        step = steps.get(str(question.get("permit", "")))
        if step is None:
            return self._runtime.status()
        if step == self._emergency:
            return step(question)  # waits for nobody
        with self._desk:
            return step(question)

    def _use(self, question: dict[str, Any]) -> dict[str, Any]:
        signed = _bytes(question, "signed")
        terms = documents.terms(
            signed, self._setting.roster, trust.rules(),
            enclosure=self._setting.place.enclosure, serial=self._setting.place.serial,
            now_s=int(time.time()), suite=self._setting.wanted.suite,
        )  # fmt: skip
        terms = replace(terms, not_after_s=terms.not_after_s - WITNESS_S)
        self._of_this_log(signed)
        self._signed[terms.permit] = signed
        if self._phase(terms.permit) is None:
            self._do(events.Presented(terms=terms), lambda: self._phase(terms.permit) is not None)
        self._until(lambda: self._phase(terms.permit) is not Phase.PRESENTED, nudge=True)
        phase = self._phase(terms.permit)
        if phase is None:
            raise _waits("the permit has come to nothing: " + self._last())
        if phase is Phase.PRESENTED:
            raise _waits("the permit is logged, and witnesses have not cosigned it in its window")
        text = str(question.get("token", ""))
        if text and phase is Phase.LOGGED:
            self._do(
                events.Begin(token=token_from(text)),
                lambda: self._phase(terms.permit) is not Phase.LOGGED,
            )
        return self._standing()

    def _of_this_log(self, signed: bytes) -> None:
        """Refuse a permit that was signed for another history of the enclosure."""
        known = permits.peek(signed)[1].checkpoint
        log = self._setting.log
        ours = known.origin == self._setting.origin and 0 < known.size <= log.signed.size
        if not ours or merkle.tree_root(log.reader().node, known.size) != known.root:
            raise PermitError(
                "the permit was signed for another history of the enclosure.",
                remedy="request one with the checkpoint of this enclosure's evidence.",
            )

    def _finish(self, question: dict[str, Any]) -> dict[str, Any]:
        runtime, data = self._runtime, _bytes(question, "closing")
        item, said = closing.parse(data)
        work = runtime.watching.machine.work
        if work is None or work.phase is not Phase.IN_USE or work.terms.permit != said.permit:
            raise PermitError("that permit is not in use.", remedy="see `casemate permit show`.")
        if not signed_by(item, self._setting.roster, int(time.time())):
            raise PermitError("nobody has signed how it ended.", remedy="sign it with --key.")
        if not runtime.watching.machine.whole:
            raise _waits(_missing(runtime.watching.machine))
        self.roll.check()
        self.parts.check_settled(runtime.watching.machine)
        self._setting.file_approval(self._setting.digest(data), data)
        watching, mask = runtime.watching, self._mask(work.terms.scope)

        def begin() -> None:
            watching.afresh(mask)
            watching.finishing = True

        watching.calls.put(begin)
        if not self._until(lambda: watching.machine.work is None):
            watching.finishing = False
            found = watching.detector.unmasked()
            why = "; ".join(found.findings) or f"verdict {found.verdict.value} {found.tile}"
            raise _waits(f"with nothing left out all is not well: {why}")
        return self._standing()

    def _emergency(self, question: dict[str, Any]) -> dict[str, Any]:
        runtime = self._runtime
        runtime.post(events.Emergency(cause=str(question.get("cause", ""))))
        self._until(lambda: runtime.watching.machine.emergency, seconds=5.0)
        return self._standing()

    def _anchor(self, _question: dict[str, Any]) -> dict[str, Any]:
        """Return what both parties are asked to sign."""
        now = self._runtime.watching.machine
        if self._proposed is None or now.alien or not now.in_use:
            raise _waits("there is no module that has proved its identity and was measured")
        if now.open:
            raise _waits(f"{', '.join(sorted(now.open))} is open")
        data = self._proposed[1]
        return {
            "file": f"anchor/{PROPOSED}",
            "enclosure": self._setting.wanted.enclosure,
            "serial": self._setting.wanted.serial,
            "challenge": now.challenge.hex(),
            "subject": digest_of(data).hex(),
            "moves": [[m.modality, m.features, m.largest, m.share] for m in self._moves],
            **self.parts.asked(now),
        }

    def _reanchor(self, question: dict[str, Any]) -> dict[str, Any]:
        now, document = self._runtime.watching.machine, _bytes(question, "document")
        if self._proposed is None or now.work is None or not now.in_use:
            raise _waits("nothing was measured under a permit in use")
        if REANCHOR not in now.work.terms.actions:
            raise PermitError("the permit does not allow re-anchoring.", remedy="ask for another.")
        found, data = self._proposed
        signatures = self._in_order(question.get("signatures"))
        check_signed(found, signatures, self._setting.anchor_keys)
        approval = self._setting.read_approval(document)
        self.parts.check(now, question)
        self._granted = found, data, signatures
        digest = digest_of(data)
        self._do(
            events.Reanchor(anchor=digest, approval=approval),
            lambda: self._anchored(digest),
        )
        return self._standing()

    def _anchored(self, digest: bytes) -> bool:
        now = self._runtime.watching.machine
        return now.anchor == digest and not now.replaced and not self.parts.busy

    def _in_order(self, signed: Any) -> list[bytes]:
        """Return the parties' signatures over anchors in the parties' order, of those given."""
        given = signed if isinstance(signed, dict) else {}
        keys = [each.public_bytes_raw().hex() for each in self._setting.anchor_keys]
        try:
            return [bytes.fromhex(str(given[each])) for each in keys if each in given]
        except ValueError:
            raise InputError("a signature is malformed.", remedy="sign anew.") from None

    # -- helpers --

    def _phase(self, permit: bytes) -> Phase | None:
        work = self._runtime.watching.machine.work
        return work.phase if work is not None and work.terms.permit == permit else None

    def _standing(self) -> dict[str, Any]:
        """Return the status with what is known of the permit."""
        now = self._runtime.watching.machine
        found = self._runtime.status()
        if now.work is not None:
            found["permit"] = now.work.terms.permit.hex()
            found["permit_phase"] = now.work.phase.value
            left_s = now.work.end_s - now.now_s
            found["permit_ends_in_s"] = round(left_s, 1) if math.isfinite(left_s) else None
        return found

    def _last(self) -> str:
        return self._refused[-1] if self._refused else "it has ended"

    def _do(self, event: events.Event, done: Callable[[], bool]) -> None:
        """Have the machine take an event; PermitError with its words if it refuses."""
        count = len(self._refused)
        self._runtime.post(event)
        self._until(lambda: done() or len(self._refused) > count, seconds=10.0)
        if len(self._refused) > count:
            raise PermitError(
                f"refused: {self._refused[-1]}.", remedy="see `casemate permit show`."
            )
        if not done():
            raise _waits("the enclosure does not answer in time")

    def _until(
        self, done: Callable[[], bool], *, seconds: float | None = None, nudge: bool = False
    ) -> bool:
        """Wait until it holds, and what the machine then orders is done; nudge: ask witnesses."""
        until_s = time.monotonic() + (WAIT_S if seconds is None else seconds)
        again_s = time.monotonic() + AGAIN_S
        while not done() or self._runtime.watching.stepping:
            now_s = time.monotonic()
            if now_s >= until_s or not self._runtime.watching.alive:
                return False
            if nudge and now_s >= again_s:
                again_s = now_s + AGAIN_S
                self._runtime.writer.fresh.set()
            time.sleep(0.05)
        return True


def _missing(now: Any) -> str:
    rows = [f"{each} is open" for each in sorted(now.open)]
    rows += [f"{each} is not anchored" for each in sorted(now.replaced | now.alien)]
    return ", ".join(rows)


def _bytes(question: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(question[name]), validate=True)
    except (KeyError, ValueError):
        raise InputError(f"{name} is missing or malformed.", remedy="ask anew.", key=name) from None


def _waits(why: str) -> PermitError:
    return PermitError(f"the work cannot go on: {why}.", remedy="mend that, then ask again.")
