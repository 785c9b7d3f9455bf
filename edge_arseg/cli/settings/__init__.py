"""Settings: what an option is set to by the command line, the environment, a file, or its default, in this order."""
