"""The folder of the user's own targets."""

import os
from collections.abc import Mapping
from pathlib import Path

from edge_arseg.errors import TargetError
from edge_arseg.storage.user_folders import user_configuration

VARIABLE = "EDGE_ARSEG_TARGETS"


def own_folder(*, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Path:
    """Return where a user puts targets: the folder that the environment names, or one in the user's configuration.

    It is ``$EDGE_ARSEG_TARGETS``, else ``$XDG_CONFIG_HOME/edge-arseg/targets``, else
    ``~/.config/edge-arseg/targets``. Nothing is made.

    Args:
        environment: instead of the process's.
        home: instead of the user's.
    """
    variables = os.environ if environment is None else environment
    if named := variables.get(VARIABLE):
        return Path(named)
    return user_configuration(environment=environment, home=home) / "targets"


def own_files() -> list[Path]:
    """Return the files of the user's own targets, in order of their names; hidden ones are left out.

    Raises:
        TargetError: the folder cannot be looked into, or the environment names one that is not there.
    """
    folder = own_folder()
    try:
        return sorted(p for p in folder.iterdir() if p.suffix == ".toml" and not p.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError) as error:
        if not os.environ.get(VARIABLE):
            return []
        raise TargetError(f"{VARIABLE}: {folder} is no folder; make it, or leave the variable out") from error
    except OSError as error:
        raise TargetError(
            f"{folder}: cannot be looked into for targets of your own ({error.strerror or error}); let it be read, or "
            f"name another one by {VARIABLE}"
        ) from error
