"""What a user asks ``compile`` for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.compiler.engines.process import TENSORRT
from edge_arseg.spec.manifest import Precision, Role


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """The options of ``compile``.

    Attributes:
        precisions: asked for, by role; graphs that are not named get the target's.
        output: bundle to write; ``None``: ``NAME-TARGET.arseg`` beside the one given.
        force: replace a bundle that is there, and build engines that are there.
        engines: build them, where this is the machine for it.
        roles: graphs to build engines of; ``None``: all that the bundle has.
        user_cache: keep the engines in the user's cache instead of the bundle.
        workspace_bytes: scratch memory of a build; ``None``: from the size of the machine's memory.
        optimization_level: of a build, 0 to 5; ``None``: the library's.
        memory_check: refuse builds that there is not enough memory for.
        builder: ``module:class`` of the builder.
    """

    precisions: Mapping[Role, Precision] = field(default_factory=dict)
    output: Path | None = None
    force: bool = False
    engines: bool = True
    roles: tuple[Role, ...] | None = None
    user_cache: bool = False
    workspace_bytes: int | None = None
    optimization_level: int | None = None
    memory_check: bool = True
    builder: str = TENSORRT
