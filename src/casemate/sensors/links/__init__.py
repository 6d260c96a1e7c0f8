"""What drivers share: ports, protocols, the pace of chips, recordings."""
