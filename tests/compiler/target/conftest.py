"""A builder that only pretends, in this process, and no compiler for kernels unless a test asks for one."""

import pytest
from support.bundles.toy import write_toy_bundle
from support.compiling.kernels import FakeCompiler

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.engines.process import BuildResult, builder_from_name
from edge_arseg.compiler.kernels import build
from edge_arseg.compiler.kernels.choice import KernelChoice
from edge_arseg.compiler.target import options as compile_setting
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.kernels.cuda.image import source_digest


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch):
    monkeypatch.setattr(compile_setting, "choice_from_target", lambda *_: KernelChoice({}, "no compiler", "none here"))


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """A process per build is slow; ``test_build_process.py`` and the tests that ask for ``own_process`` have them."""
    if "own_process" in request.fixturenames:
        return

    def build(job, progress):
        made = builder_from_name(job.builder).build(
            job.graph.read_bytes(), job.precision, job.settings, job.timing_cache, progress
        )
        job.plan.write_bytes(made.plan)
        return BuildResult(made.timing_cache, made.layers, made.warnings, 0.0)

    monkeypatch.setattr(workshop, "result_from_job", build)


@pytest.fixture
def own_process():
    """Build in processes of their own."""


@pytest.fixture
def toy(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_BUILDER_LOG", str(tmp_path / "log"))
    return lambda: (tmp_path / "log").read_text().splitlines() if (tmp_path / "log").exists() else []


@pytest.fixture
def kernel_compiler(monkeypatch, tmp_path):
    """A compiler for sm_87; returns what it was asked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def begin(source=None, compiler="nvcc 13.0"):
        made = FakeCompiler(name=compiler)
        chosen = KernelChoice({87: made}, "fusion kernel for sm_87")
        monkeypatch.setattr(compile_setting, "choice_from_target", lambda *_: chosen)
        if source is not None:
            monkeypatch.setattr(build, "source_digest", lambda: source)
        else:
            monkeypatch.setattr(build, "source_digest", source_digest)
        return made.asked

    return begin
