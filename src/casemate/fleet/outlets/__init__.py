"""Outlets: how the monitoring that a data centre runs hears of alarms (decision 42)."""
