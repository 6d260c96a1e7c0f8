"""Modalities, one folder each: card, physics, driver, README. No driver imports physics."""
