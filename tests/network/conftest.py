"""Torch with one thread: on small tensors two workers on two cores are thirty times slower with two each."""

import torch

torch.set_num_threads(1)
