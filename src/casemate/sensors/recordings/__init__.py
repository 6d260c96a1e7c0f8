"""Recorded streams: written from a reader, read back behind the same interface."""
