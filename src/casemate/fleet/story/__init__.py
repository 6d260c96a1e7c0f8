"""What evidence tells a person: state, alarms with causes, a bundle to take along."""
