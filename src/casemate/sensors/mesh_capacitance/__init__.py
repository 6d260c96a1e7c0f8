"""Capacitance of nets to planes, of lanes to each other, of layers over each other."""
