"""Published AR-Seg checkpoints to a network."""

from pathlib import Path

from torch import Tensor

from edge_arseg.errors import CheckpointError
from edge_arseg.network.checkpoint.published import CREFF_RENAMES, LAYOUTS, PREFIX, KeyLayout, published_key
from edge_arseg.network.checkpoint.safetensors_file import BEST, POSITION_BIAS, network_from_safetensors
from edge_arseg.network.checkpoint.state_file import state_from_file
from edge_arseg.network.checkpoint.weights import weights_from_state
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS
from edge_arseg.spec.model import Model, lr_scale_fault


def network_from_checkpoint(path: Path | str, *, lr_scale: float = 0.5, backbone: str | None = None) -> Network:
    """Read a checkpoint: a ``.safetensors`` file of ours, the folder of a run, or one in the published layout.

    Args:
        path: ``FILE.safetensors``, the folder of a run of ``train``, or a folder like ``camvid-psp18/`` with ``HR/``
            and ``AR/`` inside.
        lr_scale: which of the published AR files is read; each was trained for one scale.
        backbone: of a ``.safetensors`` file; see ``network_from_safetensors``.

    Returns:
        The network in ``eval`` mode.

    Raises:
        CheckpointError: see ``network_from_files`` and ``network_from_safetensors``.
    """
    path = weights_file(Path(path))
    if path.suffix == ".safetensors":
        return network_from_safetensors(path, backbone=backbone)
    if path.is_dir():
        return network_from_files(*_published_files(path, lr_scale))
    if path.is_file():
        raise CheckpointError(
            f"{path}: one file seen; the published models have two, one for each branch. "
            "Expected --hr HR_FILE --ar AR_FILE, a folder with HR/ and AR/, or a .safetensors file"
        )
    raise CheckpointError(
        f"{path}: nothing there; expected a .safetensors file or a folder: of a run of `train`, or with HR/ and AR/ "
        "inside"
    )


def weights_file(path: Path) -> Path:
    """Return the best weights of the folder of a training run; any other path as it is.

    Raises:
        CheckpointError: the run has written none yet.
    """
    if (path / BEST).is_file():
        return path / BEST
    if (path / "settings.json").is_file() and not (path / "HR").is_dir():
        raise CheckpointError(
            f"{path}: a training run without {BEST}, which is written at the first score, after --score-every steps; "
            "continue the run: --resume"
        )
    return path


def network_from_files(hr_path: Path | str, ar_path: Path | str) -> Network:
    """Read the HR and the AR file of one published model.

    The variant is recognised from the keys and from the number of classes. Nothing is downloaded, no code in the files
    is run, and heads that only training uses are left behind.

    Returns:
        The network in ``eval`` mode.

    Raises:
        CheckpointError: not a checkpoint, another network, two different variants, or wrong keys: all missing,
            unexpected, misshapen, unequal and non-finite entries of both files in one message.
    """
    hr_path, ar_path = Path(hr_path), Path(ar_path)
    hr_state, ar_state = state_from_file(hr_path), state_from_file(ar_path)
    layout, model = _recognise(hr_state, hr_path)
    ar_layout, ar_model = _recognise(ar_state, ar_path)
    if (layout, model) != (ar_layout, ar_model):
        raise CheckpointError(f"{hr_path} is of {model.name}, {ar_path} of {ar_model.name}; expected one model's files")
    network = Network(model)
    ours = network.state_dict()
    hr_names = _names(ours, layout, branch="hr.", head="hr_head.classifier.")
    ar_names = _names(ours, layout, branch="lr.", head="lr_head.classifier.")
    creff = [key for key in ours if key.startswith("creff.") and key != POSITION_BIAS]
    ar_names |= {key: published_key(key.removeprefix("creff."), CREFF_RENAMES) for key in creff}
    fuse = ("fuse_attention.",)
    hr_weights, hr_faults = weights_from_state(
        hr_state, {hr_names[key]: ours[key] for key in hr_names}, layout, optional=fuse, file=str(hr_path)
    )
    ar_weights, ar_faults = weights_from_state(
        ar_state, {ar_names[key]: ours[key] for key in ar_names}, layout, optional=(), file=str(ar_path)
    )
    if hr_faults or ar_faults:
        faults = "\n".join(str(fault) for fault in (hr_faults, ar_faults) if fault)
        raise CheckpointError(f"not a complete {model.name} checkpoint\n{faults}")
    network.load_state_dict(
        {key: hr_weights[name] for key, name in hr_names.items()}
        | {key: ar_weights[name] for key, name in ar_names.items()}
        | {POSITION_BIAS: ours[POSITION_BIAS]}
    )
    network.lr_scale = _scale_of(ar_path)
    return network.eval()


def _names(ours: dict[str, Tensor], layout: KeyLayout, *, branch: str, head: str) -> dict[str, str]:
    """Map our names of one branch and its head to the published ones."""
    names = {key: published_key(key[len(branch) :], layout.renames) for key in ours if key.startswith(branch)}
    return names | {key: layout.head + key[len(head) :] for key in ours if key.startswith(head)}


def _recognise(state: dict[str, Tensor], path: Path) -> tuple[KeyLayout, Model]:
    """Tell the architecture by a key that only it has, and the data set by the number of classes."""
    keys = {key.removeprefix(PREFIX): value for key, value in state.items()}
    for layout in LAYOUTS:
        if layout.signature in keys:
            break
    else:
        examples = ", ".join(sorted(keys)[:4])
        raise CheckpointError(
            f"{path}: another network; {len(keys)} entries seen such as {examples}; expected one of "
            f"{', '.join(VARIANTS)} as the AR-Seg authors published them"
        )
    heads = [layout.head, *(second for second, first in layout.aliases if first == layout.head)]
    weights = [keys[head + "weight"] for head in heads if head + "weight" in keys]
    counts = {weight.shape[0] if weight.ndim else 0 for weight in weights}
    models = [
        m for m in VARIANTS.values() if m.backbone == layout.backbone and (not counts or len(m.classes) in counts)
    ]
    if not models:
        known = ", ".join(f"{len(m.classes)} ({m.name})" for m in VARIANTS.values() if m.backbone == layout.backbone)
        raise CheckpointError(f"{path}: {sorted(counts)[0]} classes seen in the head, expected {known}")
    return layout, models[0]


def _published_files(folder: Path, lr_scale: float) -> tuple[Path, Path]:
    """Find the HR file, and the AR file whose name holds the LR scale, like ``PSPNet_resnet18_0.5_93_.pth``."""
    for name in ("HR", "AR"):
        if not (folder / name).is_dir():
            raise CheckpointError(f"{folder}: no folder {name}/ inside; expected the published layout with HR/ and AR/")
    hr_files = _visible_files(folder / "HR")
    if len(hr_files) != 1:
        seen = ", ".join(file.name for file in hr_files) or "none"
        raise CheckpointError(f"{folder / 'HR'}: expected one file, seen: {seen}. Name yours: --hr FILE --ar FILE")
    scales = {file: _scale_of(file) for file in _visible_files(folder / "AR")}
    ar_files = [file for file, scale in scales.items() if scale == lr_scale]
    if not ar_files:
        seen = ", ".join(map(str, sorted({scale for scale in scales.values() if scale is not None}))) or "none"
        raise CheckpointError(
            f"{folder / 'AR'}: no file for LR scale {lr_scale}; scales seen: {seen}. "
            "Pass one of them as --lr-scale, or name your files: --hr FILE --ar FILE"
        )
    if len(ar_files) > 1:
        seen = ", ".join(file.name for file in ar_files)
        raise CheckpointError(
            f"{folder / 'AR'}: expected one file for LR scale {lr_scale}, seen: {seen}. Name yours: --hr FILE --ar FILE"
        )
    return hr_files[0], ar_files[0]


def _visible_files(folder: Path) -> list[Path]:
    """Return the files of a folder, sorted, without those that a desktop hides there."""
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def _scale_of(file: Path) -> float | None:
    parts = file.name.split("_")
    try:
        scale = float(parts[2])
    except (IndexError, ValueError):
        return None
    return None if lr_scale_fault(scale) else scale
