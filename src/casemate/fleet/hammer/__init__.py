"""A load of simulated enclosures for a service under test."""
