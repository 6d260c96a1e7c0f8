"""Sensing by reflections of keyed pulses along a net."""
