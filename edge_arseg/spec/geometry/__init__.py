"""Where a source picture lies in the frame that the network sees, and the way back."""
