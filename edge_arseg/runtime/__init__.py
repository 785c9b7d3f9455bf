"""The engine contract, engines, fusion kernels, and the loop that segments a video. No torch."""
