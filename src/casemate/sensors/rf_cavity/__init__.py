"""The volume as a radio cavity: keyed tones between antennas. All figures are simulated."""
