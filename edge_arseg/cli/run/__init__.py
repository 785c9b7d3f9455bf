"""``run``: what is typed of it, the videos it names, and one of them from the source to the sinks."""
