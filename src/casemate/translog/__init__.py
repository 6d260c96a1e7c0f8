"""The log of evidence and its witnesses, in the formats of C2SP: notes, tiles, cosignatures."""
