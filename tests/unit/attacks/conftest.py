"""The design of the dpa example; no meshes."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.design import design_enclosure
from casemate.design.enclosure import Enclosure
from casemate.spec import load_spec

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def dpa() -> Enclosure:
    spec = load_spec(EXAMPLES / "dpa" / "enclosure.toml")
    return design_enclosure(spec, serial="UNIT-0001", explained=False)
