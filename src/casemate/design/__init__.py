"""Spec and modules to an enclosure: choice, faces, panels, tiles, seams, crossings, fields, air."""

from __future__ import annotations

from casemate.design.as_json import design_json
from casemate.design.assemble import design_enclosure

__all__ = ["design_enclosure", "design_json"]
