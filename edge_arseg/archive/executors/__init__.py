"""Where the tasks of an archive run: in this process, or in several."""
