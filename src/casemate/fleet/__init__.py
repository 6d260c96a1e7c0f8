"""Many enclosures: a store, a service that appraises their evidence, and its pages."""
