"""The template of the HTML page and its style sheet."""
