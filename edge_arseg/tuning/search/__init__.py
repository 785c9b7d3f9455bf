"""What can be tried, and what is tried next."""
