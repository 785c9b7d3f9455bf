"""Network to ONNX graphs to bundle. Host only."""
