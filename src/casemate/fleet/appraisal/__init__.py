"""Appraisal of an enclosure's evidence, and what is kept of it."""
