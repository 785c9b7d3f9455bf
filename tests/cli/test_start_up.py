"""What a start imports, told by name: times wander on a busy machine, lists of modules do not."""

import ctypes
import os
import sys
from importlib.util import find_spec

import pytest
from support.children import finished

from edge_arseg.native.library import instruction_set
from edge_arseg.runtime.bundles.zoo import bundle_path

BUNDLE = str(bundle_path("camvid-compact-int8"))
LIST = "\nimport sys; print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded(code, *arguments):
    done = finished([sys.executable, "-c", code + LIST, *arguments])
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"]])
def test_help_imports_no_library_but_click(arguments):
    modules = loaded(f"from edge_arseg.cli.main import exit_code; assert exit_code({arguments!r}) == 0")
    assert "click" in modules
    assert not modules & {"numpy", "av", "rich", "pydantic", "onnxruntime", "numba", "llvmlite", "torch", "onnx"}


@pytest.mark.parametrize("command", ["run", "demo", "bench"])
def test_the_help_of_a_command_reads_no_video(command):
    modules = loaded(f"from edge_arseg.cli.main import exit_code; assert exit_code([{command!r}, '--help']) == 0")
    assert not modules & {"av", "onnxruntime", "rich", "pydantic"}


def test_importing_the_package_imports_no_library():
    modules = loaded("import edge_arseg; edge_arseg.__version__")
    assert not modules & {"numpy", "av", "click", "rich", "pydantic", "onnxruntime", "numba"}


def test_a_run_imports_what_it_uses_and_nothing_else(tmp_path):
    """With the int8 bundle: no validation library for a manifest that is plainly right, no bar where nobody watches,
    and no compiler where kernels are shipped for this CPU."""
    uri = "test://street?size=96x128&frames=3"
    sinks = [f"masks://{tmp_path}/masks", f"jsonl://{tmp_path}/lines.jsonl", str(tmp_path / "overlay.mp4")]
    bundle = ["-b", "edge_arseg/zoo/camvid-compact-360x480-int8.arseg", "--backend", "onnxruntime"]
    arguments = ["run", uri, *sinks, *bundle]
    code = f"""
from pathlib import Path
import edge_arseg
arguments = {arguments!r}
at = arguments.index("-b") + 1
arguments[at] = str(Path(edge_arseg.__file__).parents[1] / arguments[at])
from edge_arseg.cli.main import exit_code
assert exit_code(arguments) == 0
"""
    modules = loaded(code)
    assert {"numpy", "av", "onnxruntime"} <= modules
    assert not modules & {"rich", "pydantic", "openvino", "torch", "onnx", "matplotlib", "pycuda", "tensorrt"}
    if instruction_set() is not None:
        assert not modules & {"numba", "llvmlite"}
    assert len(list((tmp_path / "masks").glob("*.png"))) == 3


def test_the_library_for_videos_is_loaded_beside_the_engines():
    """Not before: opening them takes longer than the import, and most of it in C++, beside which Python goes on."""
    modules = loaded("""
import edge_arseg.runtime.run
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.sinks import plan_sinks
from edge_arseg.video.uri import source_from_uri
refuse_missing(source_from_uri("test://street"))
assert not plan_sinks(["null://", "jsonl://-"], source="test://street").draws
""")
    assert "numpy" in modules
    assert not modules & {"av", "onnxruntime"}

    after = loaded("""
import sys
from edge_arseg.runtime.segmenter import Segmenter
with Segmenter("camvid-compact-int8", backend="onnxruntime", unchecked=True) as segmenter:  # its engines are coming
    assert "av" not in sys.modules
    next(segmenter.stream("test://street?size=96x128&frames=3"))
""")
    assert "av" in after


def test_a_run_on_openvino_does_not_import_its_package():
    if find_spec("openvino") is None:
        pytest.skip("needs openvino")
    arguments = ["run", "test://street?size=96x128&frames=3", "null://", "-b", BUNDLE, "--backend", "openvino"]
    modules = loaded(f"from edge_arseg.cli.main import exit_code; assert exit_code({arguments!r}) == 0")
    assert not modules & {"openvino", "onnxruntime"}


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the heaps are those of glibc")
@pytest.mark.parametrize(("environment", "one"), [({}, True), ({"MALLOC_ARENA_MAX": "16"}, False)])
def test_the_threads_of_a_run_share_a_heap_unless_the_user_says_otherwise(environment, one):
    arguments = ["run", "test://street?size=96x128&frames=3", "null://", "-b", BUNDLE, "--backend", "onnxruntime"]
    code = f"""
import ctypes
from edge_arseg.cli.main import exit_code
assert exit_code({arguments!r}) == 0
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
library.malloc_info(0, ctypes.c_void_p(library.fdopen(1, b"w")))
library.fflush(None)
"""
    done = finished([sys.executable, "-c", code], env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr[-2000:]
    assert (done.stdout.count("<heap nr=") == 1) is one


def test_garbage_is_collected_again_when_a_command_begins():
    """Not before: what is imported stays, and looking through it again and again takes a tenth of the start."""
    loaded("""
import gc, sys
from edge_arseg.cli import main as program
from edge_arseg.cli.device import zoo
seen, listed = [], zoo.zoo.commands["list"]
listed.callback = lambda **_: seen.append(gc.isenabled())
disabled, gc.disable = gc.disable, lambda: (seen.append("off"), disabled())
sys.argv = ["edge-arseg", "zoo", "list"]
try:
    program()
except SystemExit as end:
    assert not end.code
assert seen == ["off", True], seen
""")


def test_an_interrupt_while_the_program_loads_ends_it_like_one_later():
    code = """
import os, runpy, signal, sys
class Pressed:
    def find_spec(self, name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Pressed())
sys.argv = ["edge-arseg", "--help"]
runpy.run_module("edge_arseg", run_name="__main__")
"""
    done = finished([sys.executable, "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_help_of_a_group_says_what_its_commands_say():
    from edge_arseg.cli.main import COMMANDS, cli
    from edge_arseg.cli.train.group import SHOWN, train

    for group, shown in ((cli, COMMANDS), (train, SHOWN)):
        assert list(shown) == group.list_commands(None)
        for name, text in shown.items():
            said = group.get_command(None, name).help.partition("\n\n")[0]
            assert " ".join(said.split()) == text


def test_lists_of_commands_are_whole_in_80_columns():
    """A newcomer reads these lines first; click cuts long ones off."""
    import click

    from edge_arseg.cli.main import cli

    lists = [
        cli,
        *(
            command
            for name in cli.list_commands(None)
            if isinstance(command := cli.get_command(None, name), click.Group)
        ),
    ]
    for group in lists:
        shown = group.get_help(click.Context(group, terminal_width=80)).partition("Commands:")[2].partition("\n\n")[0]
        assert [line for line in shown.splitlines() if line.endswith("...")] == []
        assert len(shown.strip().splitlines()) == len(group.list_commands(None))
