"""Mesh synthesis and its proofs: tile outline to nets, nets to certified figures. Writes no files."""
