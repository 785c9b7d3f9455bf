"""What was probably meant by an option, a command or an argument that a command does not know."""
