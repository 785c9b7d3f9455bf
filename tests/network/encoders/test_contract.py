"""Encoders under the pyramid decoder answer what every backbone is asked; exports take minutes, so most are slow."""

import pytest

from edge_arseg.testing.backbone import BackboneExportQuestions, BackboneQuestions, BackboneTester


class TestLite0(BackboneQuestions):
    name = "lite0"


@pytest.mark.slow
class TestLite0Exports(BackboneExportQuestions):
    name = "lite0"


class TestLite1(BackboneQuestions):
    name = "lite1"


@pytest.mark.slow
class TestLite1Exports(BackboneExportQuestions):
    name = "lite1"


@pytest.mark.slow
class TestEfficientNetLite0(BackboneTester):
    name = "timm:efficientnet_lite0"


@pytest.mark.slow
class TestMobileNetV3Large(BackboneTester):
    name = "timm:mobilenetv3_large_100"


@pytest.mark.slow
class TestResNet18(BackboneTester):
    name = "timm:resnet18,stride=8,channels=128"


@pytest.mark.slow
class TestRepVggA0(BackboneTester):
    name = "timm:repvgg_a0"


@pytest.mark.slow
class TestFastVitT8(BackboneTester):
    name = "timm:fastvit_t8"


@pytest.mark.slow
class TestMobileNetV4ConvSmall(BackboneTester):
    name = "timm:mobilenetv4_conv_small"
