"""What carries out a campaign's jobs: in this process, in local processes, on many machines."""
