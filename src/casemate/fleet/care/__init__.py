"""Backup, restoration, and a doctor for the service."""
