"""The machine: board, memory, features of the CPU, CUDA."""
