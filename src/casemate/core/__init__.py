"""Units, errors, canonical bytes, safe files, randomness: what every other room may use."""
