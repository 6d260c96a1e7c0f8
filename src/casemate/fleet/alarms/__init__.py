"""Incidents, what people decide on them, and the notices that go out."""
