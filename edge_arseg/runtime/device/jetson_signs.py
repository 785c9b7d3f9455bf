"""What shows that files are those of a Jetson, where its device tree is hidden: in a container, in part of a copy."""

import re
from pathlib import Path

from edge_arseg.runtime.device.file_tree import FileTree

DEVICE_TREES = ("proc/device-tree", "sys/firmware/devicetree/base")
"""Where the kernel shows the device tree. The first is a link to the second; a container may have one, both or none."""

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}")
_RELEASE = re.compile(r"R([0-9]{1,3}) \(release\), REVISION: ([0-9]{1,3}(?:\.[0-9]{1,3})*)[,\s]")
_PACKAGE_RELEASE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})+(?=-|$)")
_TEGRA_NAME = re.compile(r"\b(?:jetson|tegra|nvgpu|agx orin|orin nano|orin nx|agx xavier|xavier nx)\b", re.IGNORECASE)
_NVIDIA_NAME = re.compile(r"\bnvidia\b.*\b(?:orin|xavier|thor)\b", re.IGNORECASE)
_MODULES = ("tegra", "nvgpu", "nvmap")
_DEVICES = ("nvhost-", "nvmap", "tegra")
_MODULE = re.compile(r"p\d{4}-\d{4}")
_BOOT_CONTROL = "etc/nv_boot_control.conf"
_BOARD_SPEC = re.compile(r"^TNSPEC[ \t]+(\d{4})-[0-9A-Za-z]*-(\d{4})-(\S*)", re.MULTILINE)
"""Number of the module, its revision, its variant, and more, with the name of the board's configuration."""
_BOOT_CHIP = re.compile(r"^TEGRA_CHIPID[ \t]+(\S+)", re.MULTILINE)
_POWER_MODE = re.compile(r"pmode:(\d{1,6})")
_LIBRARIES = "usr/lib/aarch64-linux-gnu"


def names_a_jetson(name: str) -> bool:
    """Return whether the name of a board or GPU is that of a Jetson, on whatever carrier."""
    return bool(_TEGRA_NAME.search(name) or _NVIDIA_NAME.search(name))


def device_tree_text(tree: FileTree, name: str) -> str:
    """Return a property of the device tree's root, from the first place that has it."""
    return next((text for place in DEVICE_TREES if (text := tree.text(f"{place}/{name}"))), "")


def chip_id(tree: FileTree) -> int | None:
    """Return the number of the Tegra chip as the kernel prints it, like 35 for tegra234; ``None``: it does not say."""
    texts = [tree.text("sys/module/tegra_fuse/parameters/tegra_chip_id")]
    if tree.text("sys/devices/soc0/family").strip().lower() == "tegra":
        texts.append(tree.text("sys/devices/soc0/soc_id"))
    texts += _BOOT_CHIP.findall(boot_control(tree))
    for text in texts:
        if _NUMBER.fullmatch(text.strip("\0 \n")):
            return int(text.strip("\0 \n"), 0 if "x" in text.lower() else 10)
    return None


def sure_sign(tree: FileTree) -> str | None:
    """Return what only a Jetson has, in words; ``None`` where there is nothing of the kind."""
    if tree.has_file("etc/nv_tegra_release"):
        return "/etc/nv_tegra_release"
    if tree.names("sys/module/tegra_fuse"):
        return "/sys/module/tegra_fuse"
    if tree.text("sys/devices/soc0/family").strip().lower() == "tegra":
        return "/sys/devices/soc0"
    if _BOARD_SPEC.search(boot_control(tree)):
        return f"/{_BOOT_CONTROL}"
    return None


def likely_sign(tree: FileTree) -> str | None:
    """Return what a Jetson's system has, in words, and another machine hardly ever; ``None`` where there is nothing.

    A device tree of another board or a desktop GPU speaks louder.
    """
    if module := next((name for name in tree.names("sys/module") if name.startswith(_MODULES)), None):
        return f"/sys/module/{module}"
    if device := next((name for name in tree.names("dev") if name.startswith(_DEVICES)), None):
        return f"/dev/{device}"
    for folder in ("tegra", "tegra-egl", "nvidia"):
        if any(".so" in name for name in tree.names(f"{_LIBRARIES}/{folder}")):
            return f"the libraries in /{_LIBRARIES}/{folder}"
    if packages := l4t_packages(tree):
        return f"the package {next(iter(packages))}"
    return None


def l4t_packages(tree: FileTree) -> dict[str, str]:
    """Return the installed packages of Jetson Linux and their versions, ``nvidia-l4t-core`` first."""
    found = {}
    for stanza in re.split(r"\n\s*\n", tree.text("var/lib/dpkg/status")):
        if "nvidia-l4t-" not in stanza:
            continue
        fields = dict(line.partition(": ")[::2] for line in stanza.splitlines() if not line.startswith(" "))
        name = fields.get("Package", "").strip()
        if name.startswith("nvidia-l4t-") and fields.get("Status", " installed").strip().endswith(" installed"):
            found[name] = fields.get("Version", "").strip()
    return dict(sorted(found.items(), key=lambda package: (package[0] != "nvidia-l4t-core", package[0])))


def release_of(tree: FileTree) -> str | None:
    """Return the release of Jetson Linux, from its release file or its packages; ``None`` where neither says."""
    if match := _RELEASE.search(tree.text("etc/nv_tegra_release")):
        return f"{match[1]}.{match[2]}"
    for version in l4t_packages(tree).values():
        if match := _PACKAGE_RELEASE.match(version):
            return match[0]
    return None


def module_from_compatible(compatible: bytes) -> str | None:
    """Return the module's part number in ``/proc/device-tree/compatible``, like ``p3767-0003``.

    Its strings name carrier and module (``nvidia,p3768-0000+p3767-0003-super``): the last number is the module. Custom
    carriers change the first half only.
    """
    for text in compatible.decode(errors="replace").split("\0"):
        if parts := _MODULE.findall(text):
            return parts[-1]
    return None


def power_mode_id(tree: FileTree) -> int | None:
    """Return the number of the mode that ``nvpmodel`` has set; ``None`` where it has set none."""
    set_to = _POWER_MODE.search(tree.text("var/lib/nvpmodel/status"))
    return int(set_to[1]) if set_to else None


def boot_control(tree: FileTree) -> str:
    """Return what the boot loader's updater noted of the board when it was flashed."""
    return tree.text(_BOOT_CONTROL)


def module_from_boot_control(text: str) -> tuple[str | None, bool]:
    """Return the module's part number in ``/etc/nv_boot_control.conf``, and whether its configuration is a Super one.

    Its line ``TNSPEC 3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-`` is of ``p3767-0005``.
    """
    spec = _BOARD_SPEC.search(text)
    return (f"p{spec[1]}-{spec[2]}", "-super-" in f"{spec[3]}-") if spec else (None, False)


def board_module(root: Path = Path("/")) -> str | None:
    """Return the part number of the Jetson module this runs on, or ``None`` elsewhere.

    It is the same in a container that hides the device tree and has the boot configuration.

    Args:
        root: of the file system.
    """
    tree = FileTree(root)
    shown = module_from_compatible(device_tree_text(tree, "compatible").encode())
    return shown or module_from_boot_control(boot_control(tree))[0]
