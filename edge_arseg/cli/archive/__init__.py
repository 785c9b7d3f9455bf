"""``edge-arseg run`` with many videos."""
