"""Spec and modules to an enclosure: choice, faces, panels, tiles, seams, crossings, fields, air."""
