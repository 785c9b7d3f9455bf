"""Work that signals do not cut in two."""

import os
import signal
import time

import pytest

from edge_arseg.storage.uninterrupted import ECHO_S, closed_uninterrupted, uninterrupted

# ruff: noqa: PT012 - where in the block the signal comes is what is asked


def test_a_signal_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("whole")
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_closing_is_not_interrupted_and_the_first_error_goes_on():
    closed = []

    def close():
        os.kill(os.getpid(), signal.SIGINT)
        closed.append("whole")

    with pytest.raises(KeyboardInterrupt), closed_uninterrupted() as stack:
        stack.callback(close)
    with pytest.raises(KeyboardInterrupt) as caught, closed_uninterrupted() as stack:
        stack.callback(close)
        raise ValueError
    assert isinstance(caught.value.__context__, ValueError)
    assert closed == ["whole", "whole"]


def test_a_second_signal_is_not_put_off():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # of the same event
        done.append("a part")
        time.sleep(ECHO_S)
        os.kill(os.getpid(), signal.SIGINT)
        done.append("whole")
    assert done == ["a part"]
