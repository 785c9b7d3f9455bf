"""``compute-sanitizer`` of the CUDA toolkit, where it is installed."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def races(compiled: bytes, script: Path, seconds: float) -> str:
    """Run the script's checks under the race checker, and under the one for memory; each no longer than ``seconds``.

    The kernel is not compiled again: the child gets ``compiled``.
    """
    tool = shutil.which("compute-sanitizer") or shutil.which("/usr/local/cuda/bin/compute-sanitizer")
    if tool is None:
        return "not run: no compute-sanitizer"
    results = []
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled)
        for check in ("racecheck", "memcheck"):
            command = [tool, "--tool", check, "--kernel-name", "kernel_substring=fuse_", "--error-exitcode", "9"]
            command += [sys.executable, str(script), "--check-cubin", str(cubin)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
            except subprocess.TimeoutExpired:
                results.append(f"{check} not finished in {seconds:.0f} s")
                continue
            said = [line for line in done.stdout.splitlines() if "SUMMARY" in line] or done.stdout.splitlines()[-3:]
            results.append(f"{check} {'clean' if done.returncode == 0 else 'FAILED'}: {' '.join(said)[:200]}")
    return "; ".join(results)
