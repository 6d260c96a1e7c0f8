"""Temperature, humidity, pressure, light, acceleration: what surrounds all else."""
