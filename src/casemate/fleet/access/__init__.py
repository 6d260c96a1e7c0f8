"""Who is let in: people, machines, displays, and what each may."""
