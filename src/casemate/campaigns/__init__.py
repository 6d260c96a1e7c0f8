"""Seeded runs of attacks on the twin: one scene shown in full, many judged at once."""
