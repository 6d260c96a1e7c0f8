"""What an adversary does to an enclosure, one file a move; all of it through the twin's effects."""
