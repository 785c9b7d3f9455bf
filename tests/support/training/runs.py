"""Trainings of a small network that take a second."""

import torch
from support.networks.small import OWN_MODEL, own_network

from edge_arseg.network.network import Network
from edge_arseg.training.hr.settings import HrSettings, StillAugmentation
from edge_arseg.training.hr.train import HrTraining
from edge_arseg.training.lr.pairs import pairs_from_stores
from edge_arseg.training.lr.settings import LrSettings, LrStart
from edge_arseg.training.lr.start import start_network
from edge_arseg.training.lr.train import LrTraining
from edge_arseg.training.run.folder import RunFolder

HR_SETTINGS = HrSettings(
    steps=12, batch=2, warmup=2, score_every=4, averaging=0.5, precision="bfloat16",
    augmentation=StillAugmentation(crop=(48, 64)),
)  # fmt: skip
LR_SETTINGS = LrSettings(steps=8, batch=2, warmup=2, score_every=3, averaging=0.5, precision="bfloat16")
CPU = torch.device("cpu")


def hr_training(path, stills, settings=HR_SETTINGS, *, model=OWN_MODEL, resume=False):
    torch.manual_seed(settings.seed)
    folder = (RunFolder.resume if resume else RunFolder.create)(path, settings.record())
    return HrTraining(Network(model), stills[:4], stills[:1], stills[4:], settings, folder, device=CPU, workers=0)


def lr_training(path, store, settings=LR_SETTINGS, *, unlabelled=(), network=None, resume=False):
    torch.manual_seed(settings.seed)
    network = network or own_network()
    folder = (RunFolder.resume if resume else RunFolder.create)(path, settings.record())
    pairs = pairs_from_stores(network, store, unlabelled, lr_scale=settings.lr_scale, score_pairs=4)
    start_network(network, pairs, settings, LrStart.HR)
    return LrTraining(network, pairs, settings, folder, device=CPU, workers=0)


def stop_at(step):
    def progress(now, loss, miou):
        if now == step:
            raise KeyboardInterrupt

    return progress
