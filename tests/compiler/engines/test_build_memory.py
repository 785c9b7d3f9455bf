import pytest

from edge_arseg.compiler.engines.memory import MemoryNeed, check_memory, need_from_graph, workspace_from_memory
from edge_arseg.errors import MemoryExhaustedError
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import GraphEntry, Precision
from edge_arseg.spec.tensor import TensorSpec

GB = 10**9
FRAME = {"frame": TensorSpec("uint8", (720, 960, 3))}
FEATURE = {"feature": TensorSpec("float32", (1, 64, 720, 960))}


def test_the_need_grows_with_weights_tensors_and_scratch():
    entry = GraphEntry("onnx/hr.onnx", Precision.FP32, FRAME, FEATURE)
    need = need_from_graph(entry, 70_000_000, 1 << 30)
    assert need.graph == 4 * 70_000_000 + 12 * (720 * 960 * 3 + 64 * 720 * 960 * 4)
    assert need.total == need.library + need.graph + (1 << 30)


@pytest.mark.parametrize(("total", "mib"), [(0, 256), (2 * GB, 256), (4 * GB, 256), (7.6 * GB, 512), (64 * GB, 2048)])
def test_scratch_memory_follows_the_size_of_the_machine(total, mib):
    assert workspace_from_memory(HostMemory(int(total))) == mib << 20
    assert workspace_from_memory(HostMemory(int(total), available=1)) == mib << 20


def test_enough_memory_is_no_matter():
    check_memory("hr", MemoryNeed(GB, GB, GB), HostMemory(8 * GB, 3 * GB, 0))


def test_unknown_memory_refuses_nothing():
    check_memory("hr", MemoryNeed(GB, GB, GB), HostMemory())


def test_too_little_says_how_much_and_what_to_do():
    with pytest.raises(MemoryExhaustedError) as caught:
        check_memory("hr", MemoryNeed(GB, GB, GB), HostMemory(8 * GB, int(2.9 * GB), 0))
    message = str(caught.value)
    assert "building hr takes about 3.0 GB" in message
    assert "2.9 GB of 8.0 GB are free" in message
    for advice in ("multi-user.target", "--workspace 256", "swapon", "--no-memory-check"):
        assert advice in message
    # swap makes no more memory free, so that alone the same would be refused again
    assert "Or build nevertheless with swap and --no-memory-check: sudo fallocate" in message


def test_advice_that_does_not_help_is_not_given():
    with pytest.raises(MemoryExhaustedError) as caught:
        check_memory("hr", MemoryNeed(GB, GB, 256 << 20), HostMemory(8 * GB, GB, 8 * GB))
    assert "swapon" not in str(caught.value)
    assert "--workspace" not in str(caught.value)
