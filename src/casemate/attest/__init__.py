"""Evidence: tokens, permits and reference values as bytes, and who keeps the keys."""
