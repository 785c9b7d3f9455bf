"""Long videos in pieces, from intra frame to intra frame."""
