"""Costs, times and the records and tables made of them."""
