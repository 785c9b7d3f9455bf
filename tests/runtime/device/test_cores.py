"""Numbers of threads and processes that no machine bears."""

import os

import pytest

from edge_arseg.cli.archive.options import ArchiveOptions
from edge_arseg.errors import OptionError
from edge_arseg.runtime.device.cores import check_at_once, most_at_once
from edge_arseg.runtime.engines.contract import EngineOptions


@pytest.mark.parametrize(("cores", "most"), [(1, 256), (2, 256), (64, 256), (65, 260), (192, 768)])
def test_the_most_is_256_or_four_for_each_core(cores, most, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert most_at_once() == most
    check_at_once(most, "threads", "leave it out")
    check_at_once(None, "threads", "leave it out")
    with pytest.raises(
        OptionError, match=rf"{most + 1} threads seen, expected 1 to {most}: .* {cores} cores?, .*; leave"
    ):
        check_at_once(most + 1, "threads", "leave it out")


@pytest.mark.parametrize("number", [-1, 0, 5000])
@pytest.mark.parametrize(("options", "name"), [(EngineOptions, "threads"), (ArchiveOptions, "processes")])
def test_options_refuse_them(options, name, number):
    with pytest.raises(OptionError, match=f"{number} {name} seen, expected 1 to .*; leave --{name} out"):
        options(**{name: number})


@pytest.mark.parametrize("wrong", ["2", 1.5, float("nan"), True])
def test_what_is_no_whole_number_is_refused(wrong):
    """A fraction was told as engines that do not run here."""
    with pytest.raises(
        OptionError, match=rf"{wrong!r} threads seen, expected a whole number from 1 to .*; leave it out"
    ):
        check_at_once(wrong, "threads", "leave it out")
