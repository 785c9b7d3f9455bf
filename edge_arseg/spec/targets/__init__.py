"""A board as a target: its description, the shipped files, and the JetPack of each Jetson Linux release."""
