"""The store: a database, its tables, and who has it."""
