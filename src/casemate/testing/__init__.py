"""Conformance kits and emulators, for those who add a member of a family (public)."""
