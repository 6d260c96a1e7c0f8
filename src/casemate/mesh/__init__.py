"""Mesh synthesis and proofs: tile outline to nets, nets to certified figures; no files."""
