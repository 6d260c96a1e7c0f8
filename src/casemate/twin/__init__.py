"""The twin: physics as pure kernels, from which the channels of an enclosure are assembled."""
