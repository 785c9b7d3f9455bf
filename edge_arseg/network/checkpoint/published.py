"""Names of weights in the published checkpoint files, by variant.

A published file is the state_dict of one ``DataParallel`` model: every key starts with ``module.``. The HR file holds
the HR branch and its head; the AR file the LR branch, CReFF and the same head. Some weights are stored under two names.
"""

from dataclasses import dataclass

PREFIX = "module."


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """How one published architecture names its weights.

    Attributes:
        backbone: registered name of the backbone.
        signature: a key that only this architecture has.
        renames: ``(our prefix, published prefix)`` of backbone weights; the longest of ours that fits is used.
        head: published prefix of the last 1x1 convolution, whose rows tell the number of classes.
        aliases: ``(second name, first name)`` of prefixes stored twice; where both are present they must be equal,
            and where the second is absent (plain PSPNet files of Cityscapes) the first is read.
        training_only: prefixes of heads that only training uses; their presence is optional.
    """

    backbone: str
    signature: str
    renames: tuple[tuple[str, str], ...]
    head: str
    aliases: tuple[tuple[str, str], ...]
    training_only: tuple[str, ...]


PSP18 = KeyLayout(
    backbone="psp18",
    signature="up_1.conv.0.weight",
    renames=(
        ("encoder.", "feats."),
        *((f"decoder.pyramid.{i}.", f"psp.stages.{i}.1.") for i in range(4)),
        ("decoder.bottleneck.", "psp.bottleneck."),
        *(
            (f"decoder.upsample.{i}.{ours}.", f"up_{i + 1}.conv.{j}.")
            for i in range(3)
            for j, ours in enumerate(("conv", "bn", "activation"))
        ),
    ),
    head="final_conv.",
    aliases=(),
    training_only=("classifier.",),
)

PSP18_STRIDE8 = KeyLayout(
    backbone="psp18-stride8",
    signature="cls.0.weight",
    renames=(
        ("encoder.conv1.", "layer0.0."),
        ("encoder.bn1.", "layer0.1."),
        ("encoder.", ""),
        *((f"decoder.pyramid.{i}.conv.", f"ppm.features.{i}.1.") for i in range(4)),
        *((f"decoder.pyramid.{i}.bn.", f"ppm.features.{i}.2.") for i in range(4)),
        ("decoder.output.conv.", "cls.0."),
        ("decoder.output.bn.", "cls.1."),
    ),
    head="cls.4.",
    aliases=(("final_conv.", "cls.4."),),
    training_only=("aux.",),
)

BISE18 = KeyLayout(
    backbone="bise18",
    signature="cp.resnet.conv1.weight",
    renames=(
        ("encoder.", "cp.resnet."),
        ("spatial.output.", "sp.conv_out."),
        ("spatial.", "sp."),
        *(
            (f"decoder.refine{n}.{ours}.", f"cp.arm{n}.{theirs}.")
            for n in (16, 32)
            for ours, theirs in (("conv", "conv"), ("gate.conv", "conv_atten"), ("gate.bn", "bn_atten"))
        ),
        ("decoder.global_context.", "cp.conv_avg."),
        ("decoder.smooth32.", "cp.conv_head32."),
        ("decoder.smooth16.", "cp.conv_head16."),
        ("decoder.fusion.conv.", "ffm.convblk."),
        ("decoder.fusion.gate.", "ffm."),
        ("decoder.output.", "conv_out.conv."),
    ),
    head="conv_out.conv_out.",
    aliases=(("final_conv.", "conv_out.conv_out."), ("feat_conv_out.", "conv_out.conv.")),
    training_only=("conv_out16.", "conv_out32."),
)

LAYOUTS = (PSP18, PSP18_STRIDE8, BISE18)

CREFF_RENAMES = (
    ("query.", "fuse_attention.lr_query_conv."),
    ("key.", "fuse_attention.hr_key_conv."),
    ("value.", "fuse_attention.hr_value_conv."),
)
"""``(our prefix, published prefix)`` of CReFF's weights, the same in every variant."""


def published_key(ours: str, renames: tuple[tuple[str, str], ...]) -> str:
    """Return the published name of our weight ``ours``; ``KeyError`` where no rule fits."""
    fitting = [rule for rule in renames if ours.startswith(rule[0])]
    if not fitting:
        raise KeyError(ours)
    prefix, theirs = max(fitting, key=lambda rule: len(rule[0]))
    return theirs + ours[len(prefix) :]
