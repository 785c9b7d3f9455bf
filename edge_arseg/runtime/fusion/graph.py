"""Fusing with the ``fuse`` graph in an engine: works everywhere."""

import numpy as np

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine, EngineOptions
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role


class GraphFusion(Fusion):
    """The ``fuse`` graph, which decodes too."""

    name = "graph"

    def __init__(self, engine: Engine):
        """Take over the engine of the ``fuse`` graph."""
        self._engine = engine

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "GraphFusion":
        """See ``Fusion``."""
        engines = engines_from_bundle(bundle, [Role.FUSE], backend=options.backend, threads=options.threads)
        return cls(engines[Role.FUSE])

    def twin(self) -> "GraphFusion":
        """See ``Fusion``."""
        return GraphFusion(self._engine.twin())

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            feeds = {names.KEY_FEATURE: key_feature, names.FLOW: flow, names.LR_FEATURE: lr_feature}
            return self._engine.run(feeds)[names.CLASS_MAP]

    def close(self) -> None:
        """See ``Fusion``."""
        self._engine.close()
