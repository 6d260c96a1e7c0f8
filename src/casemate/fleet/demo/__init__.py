"""Eight simulated enclosures with all that belongs to them, on one machine."""
