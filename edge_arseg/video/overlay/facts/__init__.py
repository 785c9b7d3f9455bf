"""What an overlay says beside the picture: which classes are seen, and how the frame was made."""
