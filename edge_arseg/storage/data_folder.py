"""Where the files are that belong to the package but live beside it: targets, calibration recipes, workloads."""

from pathlib import Path

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import reinstall

PACKAGE = Path(__file__).parents[1]
FOLDERS = {"targets": "targets", "calibration": "calibration", "workloads": "benchmarks/workloads"}
"""Name to folder in a checkout. In a wheel all of them are in ``edge_arseg/data/``."""


def data_folder(name: str, package: Path = PACKAGE) -> Path:
    """Return a data folder, in a wheel, an editable install and a bare checkout alike.

    Args:
        name: one of ``FOLDERS``.
        package: the folder of the package.

    Raises:
        EnvironmentUnfitError: the folder is in neither place.
    """
    for folder in (package / "data" / name, package.parent / FOLDERS[name]):
        if folder.is_dir():
            return folder
    raise EnvironmentUnfitError(f"the folder {name!r} is missing beside {package}; install again: {reinstall()}")
