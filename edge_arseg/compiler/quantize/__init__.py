"""Float graphs to graphs in int8 and float16. Host only."""
