"""The controller: a pure state machine, permits and graded response; I/O at its edges."""
