"""What a controller finds when it starts: keys, parties, anchors, log, witnesses, memory.

All of it lies in the enclosure's folder:

parties/  both parties' DEMO keys          anchor/   the anchors that they signed
evidence/ the log, which is the bundle     trust/    what an inspector takes along
run/      memory, keys of log and TPM, approvals, sockets: this machine's own
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemate.attest import approval, permit
from casemate.attest.approval import Statement
from casemate.attest.endorsement import load_makers
from casemate.attest.keys.protocol import KeyHolder
from casemate.attest.parties import Party
from casemate.attest.reference import Anchor, Digest, Enrolment, Module, Reference, Unit, load
from casemate.attest.token import CheckpointRef
from casemate.control import beside, documents, local_witness, measured, memory_file, told, trust
from casemate.control.anchor_file import anchors_of, digest_of
from casemate.control.custody import Custody, LogKey, accepted, choice, quorum_of
from casemate.control.demo_parties import SeedKey, demo_parties
from casemate.control.events import Approval
from casemate.control.evidence import Place
from casemate.control.states import Limits, Machine
from casemate.core.errors import CasemateError, InputError, OutputError
from casemate.core.private_folder import private_folder
from casemate.core.suites import DEFAULT_SUITE, PublicKey, Suite
from casemate.core.whole_file import write_whole
from casemate.detect import response
from casemate.detect.anchor import AnyAnchor, signed
from casemate.translog import checkpoint as checkpoints
from casemate.translog import client, policy
from casemate.translog.bundle import read_bundle, write_manifest
from casemate.translog.client import Peer
from casemate.translog.log import Log
from casemate.translog.policy import Policy
from casemate.translog.signers import log_key

SLOW_S = 3.0
"""For which simulated readers may be late, on a computer that others use too (planning value)."""
WITNESSES = ("north", "south")
_LATCHED = ("TAMPERED", "RETIRED")
"""States that a memory which knows nothing of them is too old for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. witnesses: addresses, local ones if there is none.

    simulated: readers are of a twin that the command itself has started, and may be late by
    slow_s; the far side has no say in it. caveat: what is not as it should be, such as faces that
    are not watched; "" if all is well. It goes into tokens, at starts and changes.
    """

    folder: Path
    enclosure: str
    serial: str
    faces: frozenset[str]
    modules: frozenset[str]
    far_per_year: float
    simulated: bool
    features: int
    window_s: float
    anchors: bytes
    keys: str
    batch_s: int
    suite: Suite = DEFAULT_SUITE
    witnesses: tuple[Peer, ...] = ()
    tiles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Boards of each face; a face that is not in it has one, of its name."""
    identities: tuple[Module, ...] = ()
    """Modules and spares with keys of their own, as delivered; enrolled at commissioning."""
    slow_s: float = SLOW_S
    caveat: str = ""
    unwatched: tuple[str, ...] = ()
    """Faces with a board that is not watched, sorted: in the evidence, and in reference values."""
    tpm_roots: bytes = b""
    """Roots of makers of TPMs in PEM, which the parties pinned; b"" if they approve a TPM by the
    name of its endorsement key."""
    boot_pcrs: tuple[int, ...] = ()
    """Registers of the TPM that the machine's boot fills; what they hold at commissioning is what
    they have to hold. For keys that are made from then on."""


class Setting:
    """Everything that a `Runtime` needs, opened; `close` gives it back."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, folder = wanted, wanted.folder
        self._run = folder / "run"
        private_folder(self._run)
        self.slow_s = wanted.slow_s if wanted.simulated else 0.0
        self.window_s, self.batch_s = wanted.window_s, wanted.batch_s
        self.enrolled = False
        self._makers = load_makers(wanted.tpm_roots) if wanted.tpm_roots else None
        parties = demo_parties(folder / "parties", wanted.suite)
        self.roster: tuple[Party, ...] = tuple(each.party for each in parties)
        self.party_keys: tuple[SeedKey, ...] = tuple(k for each in parties for k in each.keys)
        self.anchor_keys: tuple[Ed25519PublicKey, ...] = tuple(
            each.anchor_key.public_key() for each in parties
        )
        self._signers = tuple(each.anchor_key for each in parties)
        self.anchors, self.signatures, self.anchor = self._anchored(folder / "anchor")
        self.policy = response.policy(
            far_per_year=wanted.far_per_year, features=wanted.features, window_s=wanted.window_s
        )
        self.components = measured.components()
        self.software = measured.total(self.components, wanted.suite.hash)
        self.place = Place(
            enclosure=wanted.enclosure,
            serial=wanted.serial,
            software=self.software,
            suite=wanted.suite,
        )
        self.origin = f"casemate.invalid/{wanted.enclosure}/{wanted.serial}"
        self._closing: list[Callable[[], None]] = []
        try:
            self._open_log(folder)
            self._remember()
            kind, self.why_custody = choice(wanted.keys, certified=bool(wanted.tpm_roots))
            self.custody = Custody(
                kind, self._run, self.software, quorum_of(self.roster), wanted.suite,
                boot=wanted.boot_pcrs,
            )  # fmt: skip
            self._closing.append(self.custody.close)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back what was opened, the last first."""
        while self._closing:
            self._closing.pop()()

    def _anchored(self, folder: Path) -> tuple[tuple[AnyAnchor, ...], list[bytes], bytes]:
        """Return anchors, signatures and digest; signed by both parties if they are new."""
        path, by = folder / "anchors.json", folder / "signatures.json"
        if not path.exists():
            found = anchors_of(self.wanted.anchors)
            made = [each.hex() for each in signed(found, self._signers)]
            private_folder(folder)
            by.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
            part = folder / "anchors.new"
            part.write_bytes(self.wanted.anchors)
            os.replace(part, path)
        try:
            data = path.read_bytes()
            signatures = [bytes.fromhex(each) for each in json.loads(by.read_text("utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"the signed anchors cannot be read: {error}.",
                remedy="restore them, or commission a new folder.",
                file=str(folder),
            ) from None
        return anchors_of(data), signatures, digest_of(data)

    def _open_log(self, folder: Path) -> None:
        evidence = folder / "evidence"
        key = LogKey(self._run / "log.key")
        self._closing.append(key.close)
        self.log = Log(evidence, self.origin, key)
        self._closing.append(self.log.close)
        write_manifest(
            evidence,
            enclosure=self.wanted.enclosure,
            serial=self.wanted.serial,
            origin=self.origin,
        )
        named = log_key(self.origin, key.public)
        self.peers = self.wanted.witnesses
        if not self.peers:
            apart = folder.parent / f"{folder.name}.witnesses"
            new = not (self._run / "machine.cbor").exists()
            beside.check(apart, WITNESSES, size=self.log.signed.size, new=new)
            found = local_witness.start(apart, WITNESSES, {self.origin: named.vkey()})
            self.peers = tuple(each.peer for each in found)
            self._closing.extend(each.close for each in found)
        self._rule_text = trust.policy_text(named, self.peers)
        self.rule: Policy = policy.parse(self._rule_text.encode())

    def _remember(self) -> None:
        """Read what the log and the memory hold, and ask the witnesses what they know."""
        wanted, bundle = self.wanted, read_bundle(self.wanted.folder / "evidence")
        entries = (*bundle.entries, *bundle.pending)
        self.previous = entries[-1] if entries else b""
        starts = [each for each in map(told.boot, entries) if each is not None]
        self.boots, self.keys = len(starts), starts[-1].keys if starts else ()
        self.items, self.said = told.items(entries), told.state_of(self.previous)
        self.named = told.named(entries)
        self.memory = self._run / "machine.cbor"
        self.new = Machine(
            enclosure=wanted.enclosure,
            serial=wanted.serial,
            faces=wanted.faces,
            modules=wanted.modules,
            boot=os.urandom(16),
            limits=Limits(stale_s=1.0 + 2.0 * self.slow_s),
        )
        self.saved, least = memory_file.recall(self.memory, self.new)
        self.known: CheckpointRef | None = None
        latched = self.said in _LATCHED and self.saved is not None and (
            self.saved.state.value not in (*_LATCHED, "COMMISSIONING")
        )  # fmt: skip
        self.rolled_back = len(entries) < least or latched
        if not entries:
            return
        found = client.cosign(self.log, self.peers)
        self.rolled_back = self.rolled_back or found.rolled_back(self.rule) is not None
        stated, note = checkpoints.parse(found.checkpoint)
        try:
            policy.check(self.rule, note)
        except CasemateError:
            return
        self.known = CheckpointRef(
            origin=stated.origin, size=stated.size, root=stated.root, note=note.digest
        )

    def enrol(self, holder: KeyHolder) -> Callable[[int], None]:
        """Return what enrols a holder's keys from the token of a sequence on, into trust/.

        `enrolled` is true once that is done: parties commission no keys that they did not take.
        """
        self.enrolled = False

        def enrolled(sequence: int) -> None:
            tpm = accepted(holder, self._makers)
            folder = self.wanted.folder / "trust"
            path = folder / trust.FILES[0]
            if sequence == 0 or not path.exists():
                values = trust.reference(
                    enclosure=self.wanted.enclosure, serial=self.wanted.serial,
                    origin=self.origin, anchor=self.anchor,
                    software=self._runs(), holder=holder,
                    tpm=tpm, suite=self.wanted.suite, parties=self.roster,
                    batch_s=self.batch_s, now_s=int(time.time()),
                    modules=self.wanted.identities, unwatched=self.wanted.unwatched,
                )  # fmt: skip
            else:
                held = load(path.read_bytes(), file=str(path))
                unit = held.unit(self.wanted.serial)
                new = Enrolment(
                    sequence=sequence, suite=self.wanted.suite.name, keys=holder.public(), tpm=tpm
                )
                runs = tuple(Digest(name=n, digest=digest) for n, digest in self._runs())
                values = trust.with_enrolment(held, unit, new, runs)
            trust.write(folder, values, self._rule_text)
            self.enrolled = True

        return enrolled

    def _runs(self) -> list[tuple[str, bytes]]:
        """Return what runs, as reference values name it: the whole, then its parts."""
        return [("controller", self.software), *self.components]

    def reference(self) -> Reference:
        """Return the reference values of this enclosure; InputError before commissioning."""
        path = self.wanted.folder / "trust" / trust.FILES[0]
        if not path.exists():
            raise InputError(
                "the enclosure is not commissioned.", remedy="wait until it is ARMED.",
                file=str(path),
            )  # fmt: skip
        return load(path.read_bytes(), file=str(path))

    def module_keys(self, module: str) -> tuple[PublicKey, ...]:
        """Return the keys that are known for the place of a module."""
        known = self.reference().unit(self.wanted.serial).modules
        return tuple(each.key for each in known if each.name == module)

    def keyed_places(self) -> frozenset[str]:
        """Return the places of modules for which keys are known."""
        known = self.reference().unit(self.wanted.serial).modules
        return self.wanted.modules & {each.name for each in known}

    def take_anchors(
        self, found: tuple[AnyAnchor, ...], data: bytes, signatures: list[bytes]
    ) -> None:
        """Keep anchors that both parties have signed; those of before stay beside them."""
        folder = self.wanted.folder / "anchor"
        number = len(list(folder.glob("anchors-*.json"))) + 1
        for name in ("anchors", "signatures"):
            before = (folder / f"{name}.json").read_bytes()
            write_whole(folder / f"{name}-{number}.json", before.decode())
        made = [each.hex() for each in signatures]
        write_whole(folder / "signatures.json", json.dumps(made, indent=2) + "\n")
        write_whole(folder / "anchors.json", data.decode())
        self.anchors, self.signatures, self.anchor = found, signatures, digest_of(data)
        new = Anchor(
            name=f"re-anchored {number}", digest=self.anchor, unwatched=self.wanted.unwatched
        )
        self.amend(lambda held, unit: trust.with_anchor(held, unit, new))

    def amend(self, change: Callable[[Reference, Unit], Reference]) -> None:
        """Let trust/ have reference values with what both parties have signed since."""
        held = self.reference()
        values = change(held, held.unit(self.wanted.serial))
        trust.write(self.wanted.folder / "trust", values, self._rule_text)

    def recommissioning(self, known: CheckpointRef) -> tuple[bytes, bytes]:
        """Return a permit to commission anew, signed by both DEMO parties: digest and bytes."""
        now_s = int(time.time())
        allowed = permit.Permit(
            enclosure=self.wanted.enclosure,
            serial=self.wanted.serial,
            faces=tuple(sorted(self.wanted.faces)),
            modules=(),
            actions=("recommission",),
            not_before_s=now_s - 60,
            not_after_s=now_s + 3600,
            checkpoint=known,
            nonce=os.urandom(permit.NONCE_BYTES),
            technician=os.urandom(permit.TECHNICIAN_BYTES),
            reason="commissioned anew",
        )
        digest = permit.identity(permit.encode(allowed), self.wanted.suite)
        return digest, permit.build(allowed, self.party_keys)

    def approved(self, purpose: str, challenge: bytes, subject: bytes) -> tuple[Approval, bytes]:
        """Return what both DEMO parties sign, read back, and its bytes; keep it as a file.

        A token names it by the digest of its payload.
        """
        wanted = self.wanted
        said = Statement(
            enclosure=wanted.enclosure, serial=wanted.serial, purpose=purpose,
            challenge=challenge, subject=subject,
        )  # fmt: skip
        document = approval.build(said, self.party_keys)
        return self.read_approval(document), document

    def read_approval(self, document: bytes) -> Approval:
        """Return what enough parties approve, and keep it as a file.

        FormatError, SignatureError or PermitError otherwise.
        """
        found = documents.approval(
            document, self.roster, trust.rules("commission"), enclosure=self.wanted.enclosure,
            serial=self.wanted.serial, now_s=int(time.time()), suite=self.wanted.suite,
        )  # fmt: skip
        self.file_approval(found.document, document)
        return found

    def digest(self, document: bytes) -> bytes:
        """Return the digest by which a document of the parties is kept."""
        return self.wanted.suite.digest(document)

    def file_approval(self, digest: bytes, document: bytes) -> None:
        """Keep a document of the parties by a digest."""
        folder = self._run / "approvals"
        try:
            folder.mkdir(exist_ok=True)
            (folder / f"{digest.hex()}.cbor").write_bytes(document)
        except OSError as error:
            raise OutputError(
                f"an approval cannot be kept: {error.strerror}.", remedy="free space."
            ) from None
