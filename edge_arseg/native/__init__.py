"""Compiled kernels: the machine code that is shipped, by instruction set, and what is compiled here where none fits.

A kernel is one function of one argument: the address of a table that holds its arguments (``table``). So it can be
called without the library that compiled it, whose import takes longer than all else that a run begins with.
"""
