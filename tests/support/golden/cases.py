"""The reference's golden files, and the networks whose outputs they hold."""

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from edge_arseg.network.checkpoint.importer import network_from_files
from edge_arseg.network.network import Network

SHARED = Path(__file__).resolve().parents[4] / "shared"
GOLDEN = SHARED / "golden"
OUTPUTS = ("hr", "lr", "ar")


@dataclass(frozen=True)
class GoldenCase:
    """One golden file: frames, motion, and the reference's logits, subsampled by ``stride``."""

    name: str
    variant: str
    seed_hr: int
    seed_ar: int
    scale: float
    stride: int
    key_rgb: np.ndarray
    cur_rgb: np.ndarray
    flow: np.ndarray
    logits: dict[str, np.ndarray]
    features: dict[str, np.ndarray]


def golden_files(folder: Path = GOLDEN) -> list[Path]:
    return sorted(folder.glob("golden_*.npz"))


def golden_case(path: Path) -> GoldenCase:
    match = re.match(r"golden_((?:camvid|cityscapes)-(?:psp18|bise18))", path.name)
    if not match:
        raise ValueError(f"{path.name}: expected a name like golden_camvid-psp18_even.npz")
    with np.load(path) as arrays:
        return GoldenCase(
            name=path.stem.removeprefix("golden_"),
            variant=match[1],
            seed_hr=int(arrays["seed_hr"]),
            seed_ar=int(arrays["seed_ar"]),
            scale=round(float(arrays["scale"]), 6),
            stride=int(arrays["stride"]) if "stride" in arrays else 1,
            key_rgb=arrays["key_rgb"],
            cur_rgb=arrays["cur_rgb"],
            flow=arrays["mv_quarter_pel"].astype(np.float32) / 4.0,
            logits={name: arrays[f"{name}_logits"] for name in OUTPUTS},
            features={name: arrays[name] for name in arrays.files if name.endswith("_feature")},
        )


def golden_network(case: GoldenCase, folder: Path) -> Network:
    """Write the case's checkpoint files into ``folder`` and read the network from them."""
    hr = checkpoint_file(case.variant, "hr", case.seed_hr, folder)
    ar = checkpoint_file(case.variant, "ar", case.seed_ar, folder)
    return network_from_files(hr, ar)


def checkpoint_file(variant: str, role: str, seed: int, folder: Path) -> Path:
    """Write one published checkpoint file with reproducible weights, unless it is there."""
    path = folder / f"{variant}_{role}_{seed}.pth"
    if not path.exists():
        torch.save(checkpoint_state(variant, role, seed), path)
    return path


def checkpoint_state(variant: str, role: str, seed: int) -> dict[str, torch.Tensor]:
    entries = json.loads((GOLDEN / f"keys_{variant}_{role}.json").read_text())
    state = _make_checkpoint().make_state_dict(entries, seed)
    return {key: torch.from_numpy(value.copy()) for key, value in state.items()}


@lru_cache
def _make_checkpoint() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_checkpoint", GOLDEN / "make_checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
