"""Tests for engines and backbones of your own, to be subclassed; needs pytest. Nothing here runs in a program."""

import pytest

pytest.register_assert_rewrite("edge_arseg.testing.backbone", "edge_arseg.testing.engine")
