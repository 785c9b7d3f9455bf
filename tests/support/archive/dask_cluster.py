"""A Dask cluster of processes of its own: a scheduler, and two workers that a nanny starts again."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

MODULES = {"scheduler": "distributed.cli.dask_scheduler", "worker": "distributed.cli.dask_worker"}


def start(kind, told, *arguments):
    """Start a process; what it says goes to a file."""
    command = [sys.executable, "-m", MODULES[kind], *map(str, arguments), "--no-dashboard"]
    with told.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def end(process, number=signal.SIGTERM):
    """End a process with those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


class DaskCluster:
    """A scheduler and two workers of one thread each.

    Args:
        folder: for what they write.
    """

    def __init__(self, folder):
        file = folder / f"scheduler-{time.monotonic_ns()}.json"
        self.told = folder / "workers.log"
        address = ("--host", "127.0.0.1", "--port", 0)
        self.scheduler = start("scheduler", folder / "scheduler.log", *address, "--scheduler-file", file)
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < deadline
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        place = ("--local-directory", folder)
        self.workers = start("worker", self.told, self.address, "--nworkers", 2, "--nthreads", 1, *place)

    def pids(self):
        """Process numbers of the workers that are connected."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            return sorted(client.run(os.getpid).values())

    def close(self):
        end(self.workers)
        end(self.scheduler)


@contextmanager
def dask_cluster(folder):
    cluster = DaskCluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()
