"""Loop resistance of every net, driven with keyed currents."""
