"""Evidence by way of a NATS broker: a carrier that is believed in nothing (decision 46)."""
