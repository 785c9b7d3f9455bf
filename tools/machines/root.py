"""A Debian system in a folder, made by debootstrap and entered by chroot; of another architecture through QEMU."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.machines.folders import PROJECT, SHARED, cache

MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"


@dataclass(frozen=True, slots=True)
class Root:
    """A cached root.

    Attributes:
        suite: of Debian, such as ``bookworm``.
        architecture: Debian's name, such as ``arm64``.
    """

    suite: str
    architecture: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return cache() / f"{self.suite}-{self.architecture}"

    def make(self) -> None:
        """Make the root unless it is there: whole or not at all. Takes one to ten minutes.

        Raises:
            SystemExit: a tool is missing, this is not root, or debootstrap failed; with what to type.
        """
        if os.geteuid() != 0:
            raise SystemExit("debootstrap and chroot need root: type sudo make ...")
        foreign = self.architecture == "arm64" and os.uname().machine != "aarch64"
        tools = ["debootstrap", "unshare", *(["qemu-aarch64-static", "update-binfmts"] if foreign else [])]
        if missing := [tool for tool in tools if shutil.which(tool) is None]:
            packages = "debootstrap util-linux qemu-user-static binfmt-support"
            raise SystemExit(f"not here: {', '.join(missing)}; type: apt-get update && apt-get install {packages}")
        if foreign:
            _register_aarch64()
        if self.folder.is_dir():
            return
        part = self.folder.with_name(self.folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        print(f"making {self.folder} ...", flush=True)
        command = ["debootstrap", f"--arch={self.architecture}", "--variant=minbase", f"--include={PACKAGES}"]
        if subprocess.run([*command, self.suite, str(part), MIRROR], stdout=sys.stderr).returncode:
            raise SystemExit(f"debootstrap failed; see {part}/debootstrap/debootstrap.log")
        part.rename(self.folder)

    def place_project(self) -> None:
        """Copy the project's files, as they are now, to ``/work/project`` in the root."""
        inside = self.folder / "work" / "project"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir(parents=True)
        shared = inside.with_name("shared")
        if SHARED.is_dir():
            shared.mkdir(exist_ok=True)
        elif shared.is_dir():
            shared.rmdir()  # tests take an empty folder for the files that they read
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (source := PROJECT / name).is_file():
                (inside / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, inside / name)

    def run(
        self, command: Sequence[str], *, capture: bool = False, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the root's ``/work/project``, with /proc, /dev and the shared files mounted for it alone."""
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        }
        root = shlex.quote(str(self.folder))
        mounts = [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        if SHARED.is_dir():
            mounts.append(f"mount --bind -o ro {shlex.quote(str(SHARED.resolve()))} {root}/work/shared")
        inner = "cd /work/project && exec " + shlex.join(command)
        script = " && ".join([*mounts, f"exec chroot {root} /bin/sh -c {shlex.quote(inner)}"])
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            env=variables,
            text=True,
            capture_output=capture,
        )

    def output(self, command: Sequence[str]) -> str:
        """Return what a command prints.

        Raises:
            SystemExit: it failed.
        """
        done = self.run(command, capture=True)
        if done.returncode:
            raise SystemExit(f"{shlex.join(command)[:200]} failed in {self.folder}\n{done.stderr[-2000:]}")
        return done.stdout

    def install(self, requirements: Sequence[str], *, python: str, platforms: Sequence[str]) -> str:
        """Install wheels, fetched by this machine's pip, into ``/work/venv``; return its interpreter.

        Args:
            requirements: as pip takes them.
            python: version of the root's Python, such as ``313``.
            platforms: tags of wheels that it runs.
        """
        wheels = self.folder / "work" / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
        tags = [tag for platform in platforms for tag in ("--platform", platform)]
        versions = ["--python-version", python, "--implementation", "cp"]
        if subprocess.run([*pip, *tags, *versions, "-d", str(wheels), "setuptools", *requirements]).returncode:
            raise SystemExit("pip found no wheels for that machine; see above")
        if not (self.folder / "work" / "venv" / "bin" / "python").exists():
            self.output(["python3", "-m", "venv", "/work/venv"])
        offline = ["/work/venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "--find-links", "/work/wheels"]
        self.output([*offline, "--upgrade", "setuptools", *requirements])
        self.output([*offline, "--no-deps", "--no-build-isolation", "-e", "/work/project"])
        return "/work/venv/bin/python"


def _register_aarch64() -> None:
    """Let the kernel hand programs for aarch64 to QEMU."""
    entries = Path("/proc/sys/fs/binfmt_misc")
    if not (entries / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(entries)], check=True)
    if not (entries / "qemu-aarch64").exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)
    if not (entries / "qemu-aarch64").exists():
        packages = "qemu-user-static binfmt-support"
        raise SystemExit(f"programs for aarch64 do not start; type: apt-get install --reinstall {packages}")
