"""Building engines: the contract, TensorRT, the process and memory of a build, the store of plans."""
