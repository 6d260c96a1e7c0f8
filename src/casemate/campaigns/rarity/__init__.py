"""Proof of rarity: how often a detector alarms by itself, and how sure that figure is."""
