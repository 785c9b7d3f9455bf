"""Two records side by side: whether they are alike, what got slower, and whether a requirement holds."""
