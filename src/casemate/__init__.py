"""Casemate: tamper-detecting enclosures, designed, proven and run from one spec."""

__version__ = "0.1.0"
