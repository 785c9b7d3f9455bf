"""Compiling the fusion kernel: what is chosen, what is kept, what is said where it fails."""

import shutil
import stat
import tempfile
import types

import pytest
from support.compiling.kernels import SAID, FakeCompiler

from edge_arseg.compiler.kernels import build
from edge_arseg.compiler.kernels.build import (
    EntryResources,
    image_from_source,
    kernels_from_compilers,
    resources_from_log,
)
from edge_arseg.compiler.kernels.choice import choice_from_target
from edge_arseg.compiler.kernels.compilers import Nvcc, compiler_from_sm, cuda_compilers
from edge_arseg.errors import BuildError, EnvironmentUnfitError, SinkError
from edge_arseg.runtime.kernels.cuda.image import MAIN, source_digest
from edge_arseg.spec.targets.files import target_named


def test_resources_are_read_for_each_entry():
    assert resources_from_log(SAID) == {
        "fuse_half_16": EntryResources(126, 0, 0),
        "fuse_half_8": EntryResources(128, 872, 368),
    }


def test_a_kernel_is_compiled_once_and_named_by_its_source(tmp_path):
    compiler = FakeCompiler()
    first = image_from_source(87, cache=tmp_path, compiler=compiler)
    second = image_from_source(87, cache=tmp_path, compiler=compiler)
    assert compiler.asked == [87]
    assert first == second
    assert (first.cubin, first.source, first.compiler) == (b"cubin 87", source_digest(), "fake 13.0")
    image_from_source(90, cache=tmp_path, compiler=compiler)
    assert compiler.asked == [87, 90]
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_a_damaged_cache_is_not_used(tmp_path):
    compiler = FakeCompiler()
    image_from_source(87, cache=tmp_path, compiler=compiler)
    (cubin,) = tmp_path.glob("*.cubin")
    cubin.write_bytes(b"half of it")
    assert image_from_source(87, cache=tmp_path, compiler=compiler).cubin == b"cubin 87"
    (record,) = tmp_path.glob("*.json")
    record.write_text("[]")
    image_from_source(87, cache=tmp_path, compiler=compiler)
    assert compiler.asked == [87, 87, 87]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("")
    compiler = FakeCompiler()
    for _ in range(2):
        assert image_from_source(87, cache=tmp_path / "file/cache", compiler=compiler).cubin == b"cubin 87"
    assert compiler.asked == [87, 87]


def test_a_compiler_that_names_no_entry_is_not_trusted(tmp_path):
    with pytest.raises(BuildError, match="names no entry"):
        image_from_source(87, cache=tmp_path, compiler=FakeCompiler("warning: nothing"))
    assert not list(tmp_path.iterdir())


def test_a_bundle_is_told_what_compiled_each_image(tmp_path):
    compiler = FakeCompiler()
    kernels = kernels_from_compilers({87: compiler, 110: compiler}, cache=tmp_path)
    assert [(entry.file, entry.sm, entry.compiler) for entry in kernels] == [
        ("kernels/fusion_sm87.cubin", 87, "fake 13.0"),
        ("kernels/fusion_sm110.cubin", 110, "fake 13.0"),
    ]
    assert list(kernels.values()) == [b"cubin 87", b"cubin 110"]


def test_no_compiler_and_no_compiler_for_it_are_different_errors():
    with pytest.raises(EnvironmentUnfitError, match=r"no CUDA compiler.*export PATH=.*nvidia-cuda-nvrtc"):
        compiler_from_sm(87, iter(()))
    with pytest.raises(BuildError, match=r"sm_72 is known to none of fake 13.0 \(sm_75 to sm_110\).*cu12<13"):
        compiler_from_sm(72, iter([FakeCompiler()]))
    assert compiler_from_sm(87, iter([FakeCompiler()])).name == "fake 13.0"


def test_a_board_that_the_package_does_not_run_on_needs_no_kernel():
    """An older compiler was advised for it, which would have made a kernel that nothing runs."""

    def find(sm):
        raise AssertionError(sm)

    choice = choice_from_target(target_named("jetson-agx-xavier"), None, find=find)
    assert (choice.compilers, choice.missing) == ({}, "")
    assert "does not run there" in choice.why


def test_a_compiler_that_fails_says_why(tmp_path):
    nvcc = tmp_path / "nvcc"
    nvcc.write_text(
        "#!/bin/sh\ncase $1 in --version) echo release 12.6, V12.6.1;; --list-gpu-code) echo sm_72 sm_87;; "
        "*) echo 'fusion.cu(3): error: no such thing' >&2; exit 2;; esac\n"
    )
    nvcc.chmod(nvcc.stat().st_mode | stat.S_IEXEC)
    compiler = Nvcc(nvcc)
    assert (compiler.name, compiler.sms) == ("nvcc 12.6", (72, 87))
    with pytest.raises(BuildError, match=r"failed with 2:\nfusion.cu\(3\): error: no such thing"):
        compiler.cubin_from_source(MAIN, 87)
    assert next(cuda_compilers({"CUDACXX": str(nvcc), "PATH": ""})).name == "nvcc 12.6"


def fake_nvcc(folder, body):
    folder.mkdir()
    nvcc = folder / "nvcc"
    nvcc.write_text(
        "#!/bin/sh\ncase $1 in --version) echo release 12.6, V12.6.1;; --list-gpu-code) echo sm_87;; "
        f"*) {body};; esac\n"
    )
    nvcc.chmod(nvcc.stat().st_mode | stat.S_IEXEC)
    return nvcc


def test_a_c_compiler_that_nvcc_does_not_take_is_told_with_what_to_type(tmp_path):
    nvcc = fake_nvcc(tmp_path / "bin", "echo '#error -- unsupported GNU version! gcc later than 13' >&2; exit 1")
    with pytest.raises(BuildError, match=r"NVCC_PREPEND_FLAGS=-ccbin=.*nvidia-cuda-nvrtc"):
        Nvcc(nvcc).cubin_from_source(MAIN, 87)


def test_temporary_files_of_nvcc_lie_where_there_is_room_and_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nvcc = fake_nvcc(tmp_path / "bin", 'echo "$TMPDIR"; touch "$TMPDIR/out.cubin" "$TMPDIR/left"')
    _, said = Nvcc(nvcc).cubin_from_source(MAIN, 87)
    assert said.strip().startswith(str(tmp_path / "edge-arseg-cubin-"))
    assert [file.name for file in tmp_path.iterdir()] == ["bin"]
    monkeypatch.setattr(shutil, "disk_usage", lambda place: types.SimpleNamespace(free=1000))
    with pytest.raises(SinkError, match=r"the disk is full .* with export TMPDIR=FOLDER"):
        Nvcc(nvcc).cubin_from_source(MAIN, 87)


def test_where_one_compiler_fails_another_is_tried(tmp_path, monkeypatch):
    failing = FakeCompiler(name="nvcc 13.0")
    failing.cubin_from_source = lambda *_: (_ for _ in ()).throw(BuildError("no host compiler"))
    other = FakeCompiler(name="NVRTC 12.9")
    monkeypatch.setattr(build, "cuda_compilers", lambda: iter([failing, other]))
    (entry,) = kernels_from_compilers({87: failing}, cache=tmp_path)
    assert entry.compiler == "NVRTC 12.9"
    monkeypatch.setattr(build, "cuda_compilers", lambda: iter([failing]))
    with pytest.raises(BuildError, match="no host compiler"):
        kernels_from_compilers({90: failing}, cache=tmp_path)


def test_an_nvcc_that_cannot_be_run_hides_no_other(tmp_path):
    broken, good = tmp_path / "a/nvcc", fake_nvcc(tmp_path / "cuda", "exit 1")
    broken.parent.mkdir()
    broken.write_text("not for this machine")
    (tmp_path / "cuda/bin").mkdir()
    good.rename(tmp_path / "cuda/bin/nvcc")
    broken.chmod(0o755)
    found = cuda_compilers({"PATH": str(broken.parent), "CUDA_HOME": str(tmp_path / "cuda")})
    assert next(found).name == "nvcc 12.6"
    with pytest.raises(BuildError, match=r"cannot be run.*set CUDACXX"):
        next(cuda_compilers({"CUDACXX": str(broken), "PATH": ""}))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
@pytest.mark.parametrize("sm", [75, 87, 90, 110])
def test_no_entry_spills(sm):
    image = image_from_source(sm)
    assert len(image.resources) == 5
    for entry, found in image.resources.items():
        assert (found.spill_bytes, found.stack_bytes) == (0, 0), entry
