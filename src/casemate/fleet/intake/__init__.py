"""How evidence comes in, and how a controller brings it."""
