"""Streaming detectors, fusion and verdict. No simulation inside."""
