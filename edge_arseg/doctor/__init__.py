"""What this machine can do, what it lacks, and what to type about it."""
