"""The Redfish service of the fleet: what data centres run already reads how enclosures stand."""
