"""How threads share the work of a stage and wait for its end.

What the others still do is a part of one piece of work, so a thread waits on its core, and not for long: where another
thread has lost its core, this one is better given to it.
"""
# mypy: disable-error-code="no-untyped-def, call-arg"

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.vector import element_pointer

PATIENCE = 5000
"""Looks at a counter, of some 50 nanoseconds each."""


def _adding(number: int) -> Any:
    """Return what emits: add to a counter, as one step that no other thread can divide, and return what it was."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(types.intp)
        pointer = element_pointer(context, builder, signature.args[0], *args)
        return builder.atomic_rmw("add", pointer, kind(number), "seq_cst")

    return generate


@intrinsic
def take_at(_typing: Any, counters: Any, at: Any) -> Any:
    """Return ``counters[at]`` and add one to it."""
    return types.intp(counters, types.intp), _adding(1)


@intrinsic
def read_now(_typing: Any, counters: Any, at: Any) -> Any:
    """Return ``counters[at]`` as the other threads have left it."""
    return types.intp(counters, types.intp), _adding(0)


@intrinsic
def pause(_typing: Any) -> Any:
    """Tell the core that this thread waits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate


@njit(error_model="numpy")
def wait_for(counters, at, count):
    """Wait until a counter has come to ``count``; return whether it has, as it does where all threads have a core."""
    for _ in range(PATIENCE):
        if read_now(counters, at) >= count:
            return True
        pause()
    return False
