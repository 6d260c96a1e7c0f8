"""An enclosure drawn from its design."""
