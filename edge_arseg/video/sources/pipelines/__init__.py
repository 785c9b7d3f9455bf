"""Sources that GStreamer reads."""
