"""Readings of channels, as files of each enclosure."""
