"""How a command ends: exit codes, the standard streams, signals."""
