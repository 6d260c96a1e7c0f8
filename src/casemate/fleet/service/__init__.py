"""The service as a whole: its folder, what starts it, and all that it answers."""
