"""Attacks of a malicious host on evidence, one file a subject."""
