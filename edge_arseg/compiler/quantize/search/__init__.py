"""Which layers stay in float: sensitivity, budget, measured drop."""
