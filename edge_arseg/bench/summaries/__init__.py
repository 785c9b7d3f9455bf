"""From samples to what a record says of them; pure."""
