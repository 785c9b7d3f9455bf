"""A pretrained encoder in a training: its own learning rate, and statistics that stay."""

from torch import nn

from edge_arseg.errors import OptionError
from edge_arseg.network.backbone import Backbone
from edge_arseg.training.run.settings import RunSettings


def check_encoder(backbone: Backbone, settings: RunSettings) -> None:
    """Refuse settings of an encoder where there is none.

    Raises:
        OptionError: names the option.
    """
    options = {
        f"--encoder-rate {settings.encoder_rate:g}": settings.encoder_rate != 1.0,
        "--fixed-statistics": settings.fixed_statistics,
    }
    for option, used in options.items():
        if used and _encoder(backbone) is None:
            raise OptionError(f"{option}: backbone {type(backbone).__name__} has no encoder apart; leave it out")


def rate_shares(backbone: Backbone, settings: RunSettings) -> dict[nn.Parameter, float]:
    """Return the learning rate of the encoder's parameters over that of the run, where it is not 1."""
    encoder = _encoder(backbone)
    if encoder is None or settings.encoder_rate == 1.0:
        return {}
    return dict.fromkeys(encoder.parameters(), settings.encoder_rate)


def train_backbone(backbone: Backbone, settings: RunSettings) -> None:
    """Put a backbone in ``train`` mode; where that is asked for, the normalisation of its encoder in ``eval`` mode."""
    backbone.train()
    encoder = _encoder(backbone)
    if settings.fixed_statistics and encoder is not None:
        for part in encoder.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()


def _encoder(backbone: Backbone) -> nn.Module | None:
    encoder = getattr(backbone, "encoder", None)
    return encoder if isinstance(encoder, nn.Module) else None
