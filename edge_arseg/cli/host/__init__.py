"""Commands of the host half: checkpoints in, bundles out."""
