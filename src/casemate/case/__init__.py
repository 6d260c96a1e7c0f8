"""Claims, the evidence for them, doubts, and their report. Sees results, never runs anything."""

from casemate.case.as_json import case_document as case_document
from casemate.case.as_json import case_schema as case_schema
from casemate.case.as_json import move_document as move_document
from casemate.case.oscal import oscal_document as oscal_document
from casemate.case.page import case_html as case_html
from casemate.case.page import case_page as case_page
from casemate.case.sarif import sarif_document as sarif_document
from casemate.case.text import case_text as case_text
from casemate.case.verdict import overall as overall
from casemate.case.verdict import verdicts as verdicts

__all__ = [
    "case_document",
    "case_html",
    "case_page",
    "case_schema",
    "case_text",
    "move_document",
    "oscal_document",
    "overall",
    "sarif_document",
    "verdicts",
]
