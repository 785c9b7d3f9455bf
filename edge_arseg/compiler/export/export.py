"""A network to a checked bundle."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx

from edge_arseg.arguments import check_kind
from edge_arseg.compiler.entries import graph_entry, graph_file, versions
from edge_arseg.compiler.export.branches import hr_graph, lr_graph
from edge_arseg.compiler.export.checkpoint import Checkpoint
from edge_arseg.compiler.export.fusion import fuse_graph, head_graph, lr_head_graph
from edge_arseg.compiler.export.golden import DEFAULT_CLIP, golden_from_clip
from edge_arseg.compiler.export.macs import cost_from_model
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import CheckpointError, ExportError, OptionError
from edge_arseg.motion.accumulate import BLOCKS
from edge_arseg.network.head import Head
from edge_arseg.network.network import Network, check_sizes
from edge_arseg.network.variants import TRAINING_SIZES
from edge_arseg.runtime.bundles.reading import SUFFIX, Bundle
from edge_arseg.runtime.verification import Agreement, agreements_of_bundle
from edge_arseg.spec.entries import DecoderEntry, GoldenEntry, Provenance
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.geometry.swapped_size import LANDSCAPE, swap_meant
from edge_arseg.spec.manifest import REVISION, Manifest, Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, bytes_from_arrays
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import source_from_uri

_log = logging.getLogger(__name__)

GOLDEN_FILE = "golden/gop.npz"
FUSION_WEIGHTS_FILE = "fusion/weights.npz"
DECODER_FILE = "decoder/weights.npz"
REQUIRED_AGREEMENT = 0.999
"""Share of pixels that must get torch's class from the exported graphs. Ties, rounded differently, are the rest."""


def graphs_from_network(
    network: Network, settings: ExportSettings, *, hr_only: bool = False
) -> dict[Role, onnx.ModelProto]:
    """Export all graphs of a network, float32.

    Args:
        network: in ``eval`` mode.
        settings: sizes and constants fixed in the graphs.
        hr_only: export ``hr`` alone.

    Raises:
        OptionError: the sizes do not suit the network.
        ExportError: the backbone cannot be exported.
    """
    check_settings(network, settings)
    if hr_only:
        return {Role.HR: hr_graph(network, settings)}
    return {
        Role.HR: hr_graph(network, settings),
        Role.LR: lr_graph(network, settings),
        Role.FUSE: fuse_graph(network, settings),
        Role.HEAD: head_graph(network, settings),
        Role.LR_HEAD: lr_head_graph(network, settings),
    }


def bundle_from_network(
    network: Network,
    settings: ExportSettings,
    path: Path | str,
    *,
    clip: str | Path = DEFAULT_CLIP,
    checkpoints: Mapping[str, str] | None = None,
    hr_only: bool = False,
    force: bool = False,
    progress: Announce = no_announcement,
) -> tuple[Bundle, list[Agreement]]:
    """Export a network, check every graph against torch on the frames of a clip, and write the bundle.

    Args:
        network: in ``eval`` mode.
        settings: sizes and constants fixed in the graphs.
        path: the folder ``NAME.arseg`` to write.
        clip: where the golden frames come from, any source that ``run`` accepts.
        checkpoints: file name to SHA-256 of what the network was read from, for the manifest.
        hr_only: leave out the LR branch and the fusion; for networks whose LR branch was not trained.
        force: replace a bundle that is there.
        progress: called with a line when a step begins.

    Returns:
        The bundle, and how far its graphs on ONNX Runtime agree with torch.

    Raises:
        OptionError: sizes or target cannot be used, or the network is in ``train`` mode or none.
        CheckpointError: the LR branch was never trained, and ``hr_only`` is not set.
        SourceError: the clip cannot be read.
        ExportError: the backbone cannot be exported, or a graph answers differently; nothing is written then.
        SinkError: the bundle cannot be written.
    """
    check_kind("a network", network, Network, "a Network, as checkpoint_from_path(...).network is")
    check_kind("settings", settings, ExportSettings, "ExportSettings(height, width)")
    place = NewBundle(path, force=force)
    check_settings(network, settings)
    if any(part.training for part in network.modules()):
        raise OptionError("a network in train mode seen, whose answers depend on its batch; call network.eval() first")
    check_trained(network, hr_only=hr_only)
    clip_name = _clip_name(clip)
    progress("running the network on the golden frames")
    golden = golden_from_clip(network, settings, clip, hr_only=hr_only)
    progress("exporting the graphs")
    graphs = graphs_from_network(network, settings, hr_only=hr_only)
    progress("counting multiply-accumulates")
    cost = cost_from_model(network.model, height=settings.height, width=settings.width, lr_scale=settings.lr_scale)
    contents = {graph_file(role): graph.SerializeToString() for role, graph in graphs.items()}
    contents[GOLDEN_FILE] = bytes_from_arrays(golden)
    head = network.hr_head if hr_only else network.lr_head
    contents[DECODER_FILE] = bytes_from_arrays(decoder_weights(head))
    if not hr_only:
        contents[FUSION_WEIGHTS_FILE] = bytes_from_arrays(fusion_weights(network))
    manifest = Manifest(
        revision=REVISION,
        name=place.name,
        model=network.model,
        height=settings.height,
        width=settings.width,
        lr_scale=settings.lr_scale,
        lr_height=settings.lr_size[0],
        lr_width=settings.lr_size[1],
        gop=settings.gop,
        flow_block=settings.flow_block,
        graphs={role: graph_entry(role, graph) for role, graph in graphs.items()},
        cost=cost,
        fusion_weights=None if hr_only else FUSION_WEIGHTS_FILE,
        decoder=DecoderEntry(DECODER_FILE, head.upscale),
        golden=GoldenEntry(GOLDEN_FILE, clip_name, tuple(golden.distances.tolist())),
        provenance=Provenance(dict(checkpoints or {}), versions()),
        files={},
        branches=(Branch.HR,) if hr_only else (Branch.HR, Branch.LR),
        fit=settings.fit,
    )
    seen: list[Agreement] = []

    def check(bundle: Bundle) -> None:
        progress("checking the graphs against torch")
        seen.extend(agreements_of_bundle(bundle))
        worst = min(seen, key=lambda row: row.agreement)
        if worst.agreement < REQUIRED_AGREEMENT:
            raise ExportError(
                f"the exported {worst.output} graph gives {worst.agreement:.4%} of the pixels the class that torch "
                f"gives them, {REQUIRED_AGREEMENT:.1%} expected (distance {worst.distance} from the keyframe); nothing "
                "was written. A backbone of your own? See docs/backbones.md"
            )

    return place.write(manifest, contents, check=check), seen


def bundle_from_checkpoint(
    checkpoint: Checkpoint,
    path: Path | str | None = None,
    *,
    size: tuple[int, int] | None = None,
    gop: int = 12,
    flow_block: int = 4,
    fit: FitKind = FitKind.LETTERBOX,
    clip: str | Path = DEFAULT_CLIP,
    hr_only: bool = False,
    force: bool = False,
    progress: Announce = no_announcement,
) -> tuple[Bundle, list[Agreement]]:
    """Export a checkpoint at its own LR scale; see ``bundle_from_network``.

    Args:
        checkpoint: to export.
        path: the folder to write; ``None``: ``NAME-HxW.arseg`` in the folder one is in.
        size: rows and columns of the frames; ``None``: those of the data set.
        gop: frames from keyframe to keyframe, at most.
        flow_block: side of a cell of the flow, luma pixels.
        fit: how a picture of another shape enters a frame, where nobody says otherwise.
        clip, hr_only, force, progress: see ``bundle_from_network``.

    Raises:
        OptionError: the model names no data set with a usual size, and none is given.
        ArsegError: see ``bundle_from_network``.
    """
    if not isinstance(checkpoint, Checkpoint):
        raise OptionError(
            f"a checkpoint of type {type(checkpoint).__name__} seen, expected what checkpoint_from_path returns"
        )
    name = checkpoint.network.model.name
    dataset = name.partition("-")[0]
    like = TRAINING_SIZES.get(dataset)
    size = like if size is None else size
    if size is None:
        raise OptionError(f"--size HxW is needed: {name} names no data set with a usual size")
    if not isinstance(size, Sequence) or isinstance(size, str) or len(size) != 2:
        raise OptionError(f"size {size!r} seen, expected rows and columns, like (360, 480)")
    settings = ExportSettings(*size, checkpoint.lr_scale, gop, flow_block, fit)
    if told := swap_meant(settings.frame_size, like or LANDSCAPE, f"the images of {dataset}"):
        _log.warning("frame size: %s", told)
    return bundle_from_network(
        checkpoint.network,
        settings,
        f"{name}-{size[0]}x{size[1]}{SUFFIX}" if path is None else path,
        clip=clip,
        checkpoints=checkpoint.digests,
        hr_only=hr_only,
        force=force,
        progress=progress,
    )


def check_trained(network: Network, *, hr_only: bool) -> None:
    """Refuse a network whose LR branch holds the random weights it was made with: every frame between keyframes would
    be noise.

    Raises:
        CheckpointError: it was never trained, and ``hr_only`` is not set.
    """
    if not hr_only and Branch.LR not in network.trained:
        raise CheckpointError(
            f"{network.model.name}: only the HR branch of this checkpoint was trained, its LR branch holds random "
            "weights. Train it: edge-arseg train prepare, then edge-arseg train lr; or export the HR branch alone: "
            "--hr-only"
        )


def check_settings(network: Network, settings: ExportSettings) -> None:
    """Refuse settings that no graph can be made for.

    Raises:
        OptionError: see ``check_sizes``; or flow cells out of range.
    """
    check_sizes(network, height=settings.height, width=settings.width, lr_scale=settings.lr_scale)
    if settings.flow_block not in BLOCKS:
        raise OptionError(f"flow cells of {settings.flow_block} pixels seen, expected one of {BLOCKS}")


def fusion_weights(network: Network) -> FusionWeights:
    """Return CReFF's weights as arrays."""
    state = network.creff.state_dict()
    return FusionWeights(**{key.replace(".", "_"): value.cpu().numpy() for key, value in state.items()})


def decoder_weights(head: Head) -> DecoderWeights:
    """Return the weights of a head's classifier as arrays."""
    classifier = head.classifier
    assert classifier.bias is not None
    weight, bias = (part.detach().cpu().numpy() for part in (classifier.weight, classifier.bias))
    return DecoderWeights(np.ascontiguousarray(weight[:, :, 0, 0]), bias)


def _clip_name(clip: str | Path) -> str:
    """Return what a clip is called, without folders, hosts or passwords: a manifest travels."""
    source = source_from_uri(clip)
    scheme, separator, rest = source.name.partition("://")
    if not separator or source.kind == SourceKind.STREET:
        return source.name
    return f"{scheme}://{rest.partition('?')[0].rstrip('/').rpartition('/')[2]}"
