"""What is quantized and how a graph is prepared for it."""
