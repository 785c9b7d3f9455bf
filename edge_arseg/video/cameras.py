"""The cameras of this machine."""

from pathlib import Path

from edge_arseg.storage.url import part_of_label

DEVICES = Path("/dev")


def no_camera(label: str, path: Path) -> str:
    """Return the message for a camera that is not there.

    Args:
        label: of the source.
        path: where it was looked for.
    """
    there = ", ".join(sorted(str(one) for one in DEVICES.glob("video*"))) or "none"
    return f"{label}: there is no camera {part_of_label(label, str(path))}; cameras of this machine: {there}"
