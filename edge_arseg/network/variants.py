"""The four published models."""

from edge_arseg.spec.model import (
    CAMVID_12,
    CAMVID_NORMALISATION,
    CITYSCAPES_19,
    CITYSCAPES_NORMALISATION,
    IMAGENET_NORMALISATION,
    Model,
)

VARIANTS = {
    model.name: model
    for model in (
        Model("camvid-psp18", "psp18", CAMVID_12, CAMVID_NORMALISATION),
        Model("camvid-bise18", "bise18", CAMVID_12, CAMVID_NORMALISATION),
        Model("cityscapes-psp18", "psp18-stride8", CITYSCAPES_19, IMAGENET_NORMALISATION),
        Model("cityscapes-bise18", "bise18", CITYSCAPES_19, CITYSCAPES_NORMALISATION),
    )
}
"""Models by name."""

TRAINING_SIZES = {"camvid": (720, 960), "cityscapes": (1024, 2048)}
"""Rows and columns of the frames that the published models were trained on, by data set."""
