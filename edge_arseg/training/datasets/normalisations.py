"""Which constants normalise the images of a data set."""

from edge_arseg.spec.model import (
    CAMVID_NORMALISATION,
    CITYSCAPES_NORMALISATION,
    IMAGENET_NORMALISATION,
    Normalisation,
)


def normalisation_of(dataset: str) -> Normalisation:
    """Return the authors' constants for CamVid and Cityscapes, ImageNet's for everything else."""
    if dataset.startswith("camvid"):
        return CAMVID_NORMALISATION
    return CITYSCAPES_NORMALISATION if dataset == "cityscapes" else IMAGENET_NORMALISATION
