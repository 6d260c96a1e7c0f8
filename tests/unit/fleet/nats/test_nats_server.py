"""Evidence by a real nats-server: nothing acknowledged is lost, and nobody speaks for another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_kit import Kit
from nats_kit import Carried, carried

from casemate.core.errors import ReaderError
from casemate.fleet import certificates
from casemate.fleet.identity import write_identity
from casemate.testing import honest_enclosure as honest

pytestmark = [pytest.mark.external, pytest.mark.timeout(300)]


@pytest.fixture
def way(kit: Kit, tmp_path: Path) -> Iterator[Carried]:
    """A service with a broker before it."""
    with carried(kit, tmp_path) as made:
        yield made


def test_a_folder_is_brought_by_the_broker_as_it_grows(way: Carried, tmp_path: Path) -> None:
    way.write()
    with way.receiver():
        pusher = way.pusher()
        first = pusher.once()
        assert (first.status, first.state) == (200, "ARMED")
        assert first.next_number == way.stored() == len(way.brought.story.entries)
        honest.watch(way.brought.story, 2)
        way.write()
        assert pusher.once().next_number == way.stored() == len(way.brought.story.entries)
        other = certificates.issue(way.place.tls, "UNIT-9999")  # known to nobody at the broker
        write_identity(way.place, tmp_path / "other", other)
        with pytest.raises(ReaderError, match="cannot be used"):
            way.pusher(tmp_path / "other").once()
