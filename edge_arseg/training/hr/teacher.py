"""A larger network that teaches the HR branch: what it makes of the same views, beside the labels."""

from collections.abc import Mapping

import torch
from torch import Tensor

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.layers import resize
from edge_arseg.network.network import Network
from edge_arseg.training.hr.settings import HrSettings
from edge_arseg.training.run.losses import class_divergence, feature_difference
from edge_arseg.training.trained import Trained


class Teacher:
    """The HR branch of a trained network, which stays as it is.

    Args:
        network: that teaches.
        settings: how much each of its answers counts.
    """

    def __init__(self, network: Network, settings: HrSettings):
        self.network = network.eval().requires_grad_(False)
        self.settings = settings

    def losses(self, rgb: Tensor, feature: Tensor, scores: Tensor) -> Mapping[str, Tensor]:
        """Return what tells the student from the teacher, times its factor; what has no factor is left out.

        Args:
            rgb: the views, ``[N, h, w, 3] uint8``; the teacher normalises them in its own way.
            feature: of the student, ``[N, C, h', w']``.
            scores: of the student's classes, ``[N, classes, h', w']``.
        """
        with torch.no_grad():
            taught = self.network.hr(self.network.images_from_frames(rgb)).float()
            answer = self.network.hr_head.scores(taught, None)
            answer = resize(answer, (scores.shape[2], scores.shape[3]), align_corners=True)
        losses = {}
        if self.settings.teacher_classes:
            losses["teacher_classes"] = self.settings.teacher_classes * class_divergence(scores.float(), answer)
        if self.settings.teacher_feature:
            losses["teacher_feature"] = self.settings.teacher_feature * feature_difference(feature.float(), taught)
        return losses


def teacher_from_trained(trained: Trained, student: Network, settings: HrSettings) -> Teacher:
    """Read a teacher for a student.

    Args:
        trained: see ``trained_from_name``.
        student: that is taught.
        settings: of its training.

    Raises:
        CheckpointError: no such file, or other classes than the student's.
        OptionError: the features are to be alike and have other shapes.
    """
    network = trained.network()
    if network.model.classes != student.model.classes:
        raise CheckpointError(
            f"{trained.path}: a teacher of {len(network.model.classes)} classes seen, expected the "
            f"{len(student.model.classes)} of the student, in their order; train one on the same data set"
        )
    shapes = [(one.hr.channels, *one.hr.feature_size(96, 128)) for one in (network, student)]
    if settings.teacher_feature and shapes[0] != shapes[1]:
        raise OptionError(
            f"--teacher-feature {settings.teacher_feature:g}: the features of a 96x128 image are {shapes[0]} for the "
            f"teacher and {shapes[1]} for the student, expected the same; leave it out, its classes teach too"
        )
    return Teacher(network, settings)
