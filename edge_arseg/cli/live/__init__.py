"""Options of ``run`` for long runs on live sources."""
