"""Evidence that a real log has written, read at each moment."""

from __future__ import annotations

from pathlib import Path

from verify_samples import ids, kinds

from casemate.attest.token import CheckpointRef
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import LOG, ORIGIN, Story
from casemate.translog import checkpoint as checkpoints
from casemate.translog.bundle import read_bundle, write_manifest
from casemate.translog.log import Log
from casemate.verify import appraise
from casemate.verify.result import Result


class Written:
    """A story whose tokens go into a log's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told, self.done = folder, Story(), 0
        write_manifest(folder, enclosure=honest.ENCLOSURE, serial=honest.SERIAL, origin=ORIGIN)
        self.log = Log(folder, ORIGIN, LOG)

    def append(self) -> None:
        self.log.append(self.told.entries[self.done :])
        self.done = len(self.told.entries)

    def seal(self, *witnesses: str) -> None:
        stated, note = checkpoints.parse(self.log.checkpoint())
        lines = tuple(honest.cosign(name, stated, self.told.now_s) for name in witnesses)
        whole = note.with_lines(lines)
        self.log.add_cosignatures(whole)
        self.told.known = CheckpointRef(
            origin=ORIGIN, size=stated.size, root=stated.root, note=whole.digest
        )

    def judge(self) -> Result:
        bundle = read_bundle(self.folder)
        return appraise(bundle, honest.reference(), honest.policy(), now_s=self.told.now_s)


def test_real_log_at_each_moment(tmp_path: Path) -> None:
    written = Written(tmp_path / "evidence")
    told = written.told
    assert ids(written.judge()) == {"log.absent", "state.unknown"}
    told.start("commissioned", "COMMISSIONING")
    written.append()
    assert ids(written.judge()) == {"log.absent", "state.commissioning"}
    written.seal("north", "south")
    assert ids(written.judge()) == {"state.commissioning"}
    told.now_s += 30
    told.change("ARMED", "commissioned")
    written.append()
    written.seal("north", "west")
    for number in range(3):
        told.watch()
        written.append()
        assert ids(written.judge()) == ({"state.unknown"} if number == 0 else set())
        written.seal("south", "west")
        assert written.judge().findings == ()
    assert kinds(written.judge()) == [("unknown", 30), ("proven", 180)]
    written.log.close()
