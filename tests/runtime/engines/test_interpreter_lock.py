"""The thread that takes the interpreter's lock now and then."""

import os
import threading

import pytest
from support.bundles.fake import write_fake_bundle

from edge_arseg.runtime.background import open_background_pipeline
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines import interpreter_lock
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.pipeline import open_pipeline


def taking():
    return [thread for thread in threading.enumerate() if thread.name == "interpreter lock"]


@pytest.mark.parametrize("opened", [open_pipeline, open_background_pipeline])
def test_pipelines_have_one_thread_for_it_which_ends_with_the_process(opened, tmp_path, monkeypatch):
    bundle = read_bundle(write_fake_bundle(tmp_path / "fake.arseg"))
    monkeypatch.setattr(interpreter_lock, "_taking", None)
    before = taking()
    for _ in range(2):
        with opened(bundle, engines=EngineOptions("graph", "fake", 2)):
            (thread,) = (one for one in taking() if one not in before)
    assert thread.daemon
    assert thread.is_alive()


def test_it_takes_the_lock_again_and_again(monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise InterruptedError

    monkeypatch.setattr(interpreter_lock.time, "sleep", sleep)
    with pytest.raises(InterruptedError):
        interpreter_lock._take()
    assert slept == [1.0, 1.0, 1.0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_that_was_forked_gets_its_own():
    interpreter_lock.keep_it_moving()
    child = os.fork()
    if not child:
        before = len(taking())
        interpreter_lock.keep_it_moving()
        os._exit(10 * before + len(taking()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
