"""Claims, the evidence for them, doubts, and their report. Sees results, never runs anything."""
