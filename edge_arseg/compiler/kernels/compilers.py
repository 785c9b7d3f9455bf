"""Compilers for CUDA source: ``nvcc`` where there is one, else the NVRTC library. Neither needs a GPU."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.installation import install_packages
from edge_arseg.storage.scratch import check_scratch_room, scratch_folder

_TIMEOUT_S = 1200
"""The slowest board takes a few minutes."""
_SCRATCH_BYTES = 4_000_000
"""That nvcc 13.0 writes on the way to a cubin of the fusion kernel: 2.7 MB."""
_NVRTC = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so")


class CudaCompiler(ABC):
    """Makes a cubin of one source file.

    Attributes:
        name: with version, like ``nvcc 13.0``.
        sms: architectures it can compile for, as compilers write them: 87 for compute capability 8.7.
    """

    name: str
    sms: tuple[int, ...]

    @abstractmethod
    def cubin_from_source(self, source: Path, sm: int) -> tuple[bytes, str]:
        """Compile ``source``, which may include files beside it.

        Returns:
            The cubin, and what the assembler says of each entry (``ptxas -v``).

        Raises:
            BuildError: it does not compile.
        """


class Nvcc(CudaCompiler):
    """The compiler driver of the CUDA toolkit."""

    def __init__(self, path: Path):
        """Ask it for its version.

        Raises:
            BuildError: it cannot be run.
        """
        self._path = path
        release = re.search(r"release (\d+\.\d+)", self._answer("--version"))
        if release is None:
            raise BuildError(f"{path} --version names no release; set CUDACXX to the nvcc of a CUDA toolkit")
        self.name = f"nvcc {release[1]}"
        self.sms = tuple(int(sm) for sm in re.findall(r"sm_(\d+)", self._answer("--list-gpu-code")))

    def cubin_from_source(self, source: Path, sm: int) -> tuple[bytes, str]:
        """See ``CudaCompiler``."""
        check_scratch_room(_SCRATCH_BYTES)
        with scratch_folder("cubin") as folder:
            target = folder / "out.cubin"
            words = ["-std=c++17", "-cubin", f"-arch=sm_{sm}", "-Xptxas", "-v", "-o", str(target), str(source)]
            said = self._answer(*words, scratch=folder)
            return target.read_bytes(), said

    def _answer(self, *arguments: str, scratch: Path | None = None) -> str:
        """Run it; its own temporary files lie in ``scratch``."""
        command = [str(self._path), *arguments]
        variables = os.environ if scratch is None else {**os.environ, "TMPDIR": str(scratch)}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=variables
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(
                f"{self._path} cannot be run: {error}; set CUDACXX to the nvcc of a CUDA toolkit"
            ) from error
        said = done.stdout + done.stderr
        if done.returncode:
            raise BuildError(
                f"{' '.join(command)} failed with {done.returncode}:\n{_last_lines(said)}{_host_compiler_advice(said)}"
            )
        return said


class Nvrtc(CudaCompiler):
    """The run-time compiler: one library, which TensorRT and PyTorch bring along; it needs no C++ compiler."""

    def __init__(self, path: str):
        """Load it.

        Raises:
            OSError: there is no such library.
        """
        for part in sorted(Path(path).parent.glob("libnvrtc-builtins.so.*")) if "/" in path else ():
            ctypes.CDLL(str(part))  # the library asks for it by name, and not every wheel says where it is
        self._library = ctypes.CDLL(path)
        major, minor, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self._check(self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        self._check(self._library.nvrtcGetNumSupportedArchs(ctypes.byref(count)))
        sms = (ctypes.c_int * count.value)()
        self._check(self._library.nvrtcGetSupportedArchs(sms))
        self.name = f"NVRTC {major.value}.{minor.value}"
        self.sms = tuple(sms)

    def cubin_from_source(self, source: Path, sm: int) -> tuple[bytes, str]:
        """See ``CudaCompiler``."""
        program, text, name = ctypes.c_void_p(), source.read_bytes(), source.name.encode()
        self._check(self._library.nvrtcCreateProgram(ctypes.byref(program), text, name, 0, None, None))
        try:
            words = ["-std=c++17", f"-arch=sm_{sm}", "--ptxas-options=-v", f"-I{source.parent}"]
            options = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
            code = self._library.nvrtcCompileProgram(program, len(words), options)
            said = self._fetched("nvrtcGetProgramLogSize", "nvrtcGetProgramLog", program).rstrip(b"\0")
            log = said.decode(errors="replace")
            if code:
                raise BuildError(f"{self.name} cannot compile {source.name} for sm_{sm}:\n{_last_lines(log)}")
            return self._fetched("nvrtcGetCUBINSize", "nvrtcGetCUBIN", program), log
        finally:
            self._library.nvrtcDestroyProgram(ctypes.byref(program))

    def _fetched(self, size_name: str, name: str, program: ctypes.c_void_p) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self._library, size_name)(program, ctypes.byref(size)))
        data = ctypes.create_string_buffer(size.value)
        self._check(getattr(self._library, name)(program, data))
        return data.raw

    def _check(self, code: int) -> None:
        if code:
            self._library.nvrtcGetErrorString.restype = ctypes.c_char_p
            raise BuildError(f"NVRTC failed: {self._library.nvrtcGetErrorString(code).decode()}")


def cuda_compilers(environment: Mapping[str, str] | None = None) -> Iterator[CudaCompiler]:
    """Find the compilers of this machine, the likelier ones first.

    Args:
        environment: instead of the process's; ``CUDACXX``, ``PATH`` and ``CUDA_HOME`` are looked at.
    """
    variables = os.environ if environment is None else environment
    places = [variables.get("CUDACXX"), shutil.which("nvcc", path=variables.get("PATH", ""))]
    places += [f"{root}/bin/nvcc" for root in (variables.get("CUDA_HOME"), "/usr/local/cuda") if root]
    seen = set()
    for place in places:
        if place and Path(place).is_file() and Path(place).resolve() not in seen:
            seen.add(Path(place).resolve())
            try:
                found = Nvcc(Path(place))
            except BuildError:
                if place == variables.get("CUDACXX"):
                    raise
                continue  # one that cannot be run hides none that can
            yield found
    for library in [*_NVRTC, *_nvrtc_wheels()]:
        try:
            yield Nvrtc(library)
        except (OSError, BuildError, AttributeError):  # missing, or without its part for the builtins
            continue


def compiler_from_sm(sm: int, compilers: Iterator[CudaCompiler] | None = None) -> CudaCompiler:
    """Return the first compiler that knows an architecture.

    Args:
        sm: 87 for compute capability 8.7.
        compilers: to choose from; by default those of this machine.

    Raises:
        EnvironmentUnfitError: there is no compiler.
        BuildError: there are compilers, and none knows the architecture.
    """
    seen = []
    for compiler in cuda_compilers() if compilers is None else compilers:
        if sm in compiler.sms:
            return compiler
        seen.append(f"{compiler.name} (sm_{min(compiler.sms)} to sm_{max(compiler.sms)})")
    if not seen:
        raise EnvironmentUnfitError(
            "no CUDA compiler: nvcc is neither on PATH nor in /usr/local/cuda/bin, and no libnvrtc is found. "
            "On a Jetson type: export PATH=/usr/local/cuda/bin:$PATH, or sudo apt install cuda-nvcc-12-6 (the number "
            f"is that of the JetPack's CUDA); elsewhere: {install_packages('nvidia-cuda-nvrtc')}. "
            "Or run with --fusion graph"
        )
    older = f"; sm_72 and older ended with CUDA 12: {install_packages('nvidia-cuda-nvrtc-cu12<13')}" if sm < 75 else ""
    raise BuildError(f"sm_{sm} is known to none of {', '.join(seen)}{older}; or run with --fusion graph")


def _nvrtc_wheels() -> list[str]:
    """Return libraries that pip installed; the newest first."""
    folders = [Path(entry) / "nvidia" for entry in sys.path if entry]
    return sorted((str(file) for folder in folders for file in folder.glob("*/lib/libnvrtc.so.*")), reverse=True)


def _host_compiler_advice(said: str) -> str:
    """Return what to type where nvcc does not take the C++ compiler of this machine, as with a newer GCC."""
    if not any(words in said for words in ("host compiler", "unsupported GNU version", "unsupported clang version")):
        return ""
    return (
        "\nName a C++ compiler that this nvcc takes: export NVCC_PREPEND_FLAGS=-ccbin=/usr/bin/g++-12; or install "
        f"NVRTC, which needs none and is tried where nvcc fails: {install_packages('nvidia-cuda-nvrtc')}"
    )


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-12:])
