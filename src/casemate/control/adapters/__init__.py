"""Adapters from what the protected thing makes to payload tokens: one a kind, each a drop-in."""
