"""AR-Seg in torch: backbones, CReFF, warp, heads, and the import of checkpoints. Host only."""
