"""Files of one picture: what some kinds say of it that FFmpeg leaves out."""
