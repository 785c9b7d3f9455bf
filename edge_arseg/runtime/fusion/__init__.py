"""How the LR feature is fused with the keyframe's: the contract, and every way of doing it."""
