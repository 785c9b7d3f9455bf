"""What a report is written as: a module for each format, and the table of them."""
