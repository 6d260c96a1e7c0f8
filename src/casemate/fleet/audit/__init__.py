"""The audit log: who did and read what, in a transparency log."""
