"""Pictures of results that people show to others; ``Overlay`` draws them."""
