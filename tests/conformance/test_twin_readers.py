"""The twin's readers pass the kit that hardware passes: what was proven is what runs."""

from __future__ import annotations

import pytest

from casemate.campaigns.reader import TwinReader
from casemate.core.challenge import Challenge
from casemate.design.enclosure import Enclosure
from casemate.sensors.modalities import MODALITIES, Modality
from casemate.testing.readers import Expectation, check_reader
from casemate.twin.assembly import Twin, assemble


@pytest.fixture(scope="module")
def twin(small_design: Enclosure, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("boards")
    return assemble(small_design, kind="dpa", secret=bytes(32), folder=folder, workers=1)


@pytest.mark.parametrize("each", MODALITIES, ids=lambda each: each.id)
def test_a_modality_of_the_twin_conforms(each: Modality, twin: Twin) -> None:
    fitted = each.fit(twin)
    reader = TwinReader(twin, fitted, (), seed=1, duration_s=10.0)
    challenge = Challenge(
        key=bytes(range(32)), modality=each.id, epoch=0, chip_s=fitted.chip_s, order=reader.order
    )
    expectation = Expectation(rows=3000, ends=True, silent_share=0.5, rests=not fitted.excited)
    check_reader(
        lambda: TwinReader(twin, fitted, (), seed=1, duration_s=10.0), challenge, expectation
    )
