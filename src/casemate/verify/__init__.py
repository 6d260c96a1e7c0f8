"""From evidence, reference values and policy to findings and continuity of knowledge.

Pure and small, to be read in an afternoon: no network, no numpy. Begin with `appraise`.
"""

from casemate.verify.appraise import appraise
from casemate.verify.result import Result

__all__ = ["Result", "appraise"]
