"""Code for each of a few values that a number may have, one of which runs."""

from collections.abc import Iterable, Iterator

from llvmlite import ir


def cases(builder: ir.IRBuilder, number: ir.Value, known: Iterable[int]) -> Iterator[int]:
    """Yield the values that ``number`` can have; what is emitted meanwhile runs where it has that one."""
    for value in known:
        with builder.if_then(builder.icmp_signed("==", number, number.type(value))):
            yield value
