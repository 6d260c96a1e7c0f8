"""How the adversary looks for what is detected least: search, atlas, sweep of its means."""
