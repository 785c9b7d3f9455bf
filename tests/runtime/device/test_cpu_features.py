import struct

import pytest

from edge_arseg.runtime.device.cpu_features import cpu_features, cpu_model

SAPPHIRE_RAPIDS = (
    "flags\t\t: fpu sse4_1 sse4_2 avx f16c avx2 fma avx512f avx512bw avx512vl avx_vnni avx512_bf16 avx512_vnni "
    "amx_bf16 amx_tile amx_int8"
)
ORIN = "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
ALL = {"AVX2": True, "AVX512F": True, "AVX512VNNI": True, "AVX512BF16": True}
HASWELL = {"AVX2": True, "AVX512F": False, "AVX512VNNI": False, "AVX512BF16": False}
NEHALEM = {**HASWELL, "AVX2": False}


@pytest.fixture
def machine(tmp_path):
    """Write ``/proc/cpuinfo`` of two cores."""

    def write(*lines):
        (tmp_path / "proc").mkdir(exist_ok=True)
        block = "\n".join(["processor\t: 0", *lines])
        (tmp_path / "proc/cpuinfo").write_text(f"{block}\n\n{block.replace('avx2', '').replace('asimddp', '')}\n\n")
        return tmp_path

    return write


def test_what_the_kernel_lists_is_told(machine):
    root = machine("model name\t: Intel(R) Xeon(R) Processor", SAPPHIRE_RAPIDS)
    found = cpu_features(root, machine="x86_64", asked=ALL)
    assert found.model == "Intel(R) Xeon(R) Processor"
    assert found.present == ("AVX2", "AVX-VNNI", "AVX512-VNNI", "AVX512-BF16", "AMX-INT8", "AMX-BF16")
    assert (found.absent, found.note) == ((), "")
    haswell = cpu_features(machine("flags\t\t: fpu avx avx2 fma"), machine="x86_64", asked=HASWELL)
    assert str(haswell) == "AVX2; not AVX-VNNI, AVX512-VNNI, AVX512-BF16, AMX-INT8, AMX-BF16"
    assert haswell.note == ""


@pytest.mark.parametrize(("asked", "present"), [(HASWELL, ("AVX2",)), (NEHALEM, ())])
def test_an_emulated_cpu_is_not_taken_for_the_one_below(machine, asked, present):
    """``qemu-x86_64 -cpu Haswell`` shows the host's flags in /proc/cpuinfo, and answers CPUID for itself."""
    found = cpu_features(machine(SAPPHIRE_RAPIDS), machine="x86_64", asked=asked)
    assert found.present == present
    assert "AVX-VNNI" in found.absent
    assert "emulated" in str(found)


def test_without_an_answer_the_kernel_is_believed(machine):
    assert cpu_features(machine("flags\t\t: avx2"), machine="x86_64", asked={}).present == ("AVX2",)


def test_an_arm_cpu_is_told(machine):
    root = machine("CPU implementer\t: 0x41", "CPU part\t: 0xd42", ORIN)
    found = cpu_features(root, machine="aarch64", asked={"ASIMDDP": True})
    assert (found.present, found.absent) == (("dotprod",), ("i8mm", "bf16"))
    assert found.model == cpu_model(root) == "ARM implementer 0x41 part 0xd42"


def test_an_arm_cpu_emulated_on_another_machine_is_told_by_its_auxiliary_vector(machine):
    root = machine(SAPPHIRE_RAPIDS)
    assert not cpu_features(root, machine="aarch64", asked={}).known
    (root / "proc/self").mkdir()
    vector = struct.pack("=QQQQQQ", 16, 1 << 1 | 1 << 20, 26, 1 << 13, 0, 0)
    (root / "proc/self/auxv").write_bytes(vector + b"odd")
    found = cpu_features(root, machine="aarch64", asked={})
    assert (found.present, found.absent) == (("dotprod", "i8mm"), ("bf16",))


@pytest.mark.parametrize("name", ["x86_64", "arm64", "aarch64", "riscv64", ""])
def test_where_nothing_is_known_nothing_is_claimed(tmp_path, name):
    found = cpu_features(tmp_path, machine=name, asked={})
    assert (found.present, found.absent, str(found)) == ((), (), "not known")


def test_this_machine_answers():
    assert cpu_features() == cpu_features()
    assert cpu_features().model
