"""Certified largest-hole bounds: what the largest drill is that no net notices."""
