"""Float graphs to graphs in int8 and float16, with ranges from the device flow. Host only."""
