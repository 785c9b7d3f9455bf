"""What the assembler says that a kernel takes."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryResources:
    """What one entry of a cubin takes, as the assembler counts it.

    Attributes:
        registers: per thread.
        spill_bytes: stores and loads of registers that did not fit, per thread.
        stack_bytes: per thread.
    """

    registers: int
    spill_bytes: int
    stack_bytes: int


def resources_from_log(said: str) -> dict[str, EntryResources]:
    """Read what ``ptxas -v`` says: entry name to what it takes."""
    found = {}
    for part in said.split("Compiling entry function '")[1:]:
        name = part.partition("'")[0]
        # the first numbers are the entry's own; what it calls is inlined
        stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part)
        registers = re.search(r"Used (\d+) registers", part)
        if stack and registers:
            found[name] = EntryResources(int(registers[1]), int(stack[2]) + int(stack[3]), int(stack[1]))
    return found
