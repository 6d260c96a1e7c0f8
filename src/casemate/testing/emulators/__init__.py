"""Stand-ins for reader hardware that speak its real protocol, on a pty or a socket."""
