"""The design of the dpa example; no meshes."""

from __future__ import annotations

import pytest

from casemate.design.enclosure import Enclosure


@pytest.fixture(scope="session")
def dpa(dpa_design: Enclosure) -> Enclosure:
    return dpa_design
