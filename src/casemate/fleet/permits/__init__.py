"""Permits, the papers that parties hand in, and what stands in the way of arming."""
