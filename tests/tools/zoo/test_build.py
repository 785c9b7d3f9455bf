"""Shipped bundles from the data: steps that are whole are skipped, nothing of another origin is used or overwritten."""

import json
import shlex
from pathlib import Path

import click
import pytest
import torch
from support.training.files import write_camvid

from edge_arseg.cli import cli
from edge_arseg.errors import DataError, ExportError, OptionError
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in
from tools.zoo.build import build, run_command
from tools.zoo.factors import Factors, multiply
from tools.zoo.recipe import Step, steps_from_file

ROOT = Path(__file__).parents[3]
SHIPPED = {path.stem: path for path in (ROOT / "tools/zoo").glob("*.toml")}
STEPS = [Step("a/best", "train hr {data} -o a"), Step("b/best", "train lr a -o b"), Step("c", "export b")]


class Runs:
    """Commands that leave what they were told, or fail."""

    def __init__(self):
        self.seen, self.failing, self.number = [], None, 0

    def __call__(self, arguments, folder, step):
        self.seen.append(shlex.join(arguments))
        if step.name == self.failing:
            (folder / step.name).mkdir()
            (folder / step.name / "settings.json").write_text("{}")
            raise ExportError("no")
        self.number += 1
        path = folder / step.result
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{arguments} {self.number}")


@pytest.fixture
def runs():
    return Runs()


def test_what_is_whole_is_skipped_and_what_failed_is_continued(tmp_path, runs):
    runs.failing = "b"
    with pytest.raises(ExportError):
        build(STEPS, Path("/data"), tmp_path, run=runs)
    assert runs.seen == ["train hr /data -o a", "train lr a -o b"]
    runs.failing = None
    assert build(STEPS, Path("/data"), tmp_path, run=runs) == ["b/best", "c"]
    assert runs.seen[2:] == ["train lr --resume b", "export b"]
    assert build(STEPS, Path("/data"), tmp_path, run=runs) == []
    assert len(runs.seen) == 4


def test_a_result_that_is_gone_is_made_again_and_what_stood_on_it_is_not_passed_off(tmp_path, runs):
    build(STEPS, Path("/data"), tmp_path, run=runs)
    (tmp_path / "b/best").unlink()
    with pytest.raises(OptionError, match="c: made by another command, or from other results; remove it"):
        build(STEPS, Path("/data"), tmp_path, run=runs)
    (tmp_path / "c").unlink()
    assert build(STEPS, Path("/data"), tmp_path, run=runs) == ["c"]


def test_another_command_does_not_overwrite(tmp_path, runs):
    build(STEPS, Path("/data"), tmp_path, run=runs)
    other = [STEPS[0], Step("b/best", "train lr a -o b --steps 9"), STEPS[2]]
    with pytest.raises(OptionError, match="b: made by another command"):
        build(other, Path("/data"), tmp_path, run=runs)
    assert len(runs.seen) == 3


@pytest.mark.parametrize("step", [STEPS[2], Step("c", factors=Factors(), checkpoint="b/best")])
def test_a_result_that_no_step_recorded_is_not_overwritten(tmp_path, runs, step):
    """One that was killed before it was recorded, or made by hand: export refused it, typed again too."""
    build(STEPS[:2], Path("/data"), tmp_path, run=runs)
    (tmp_path / "c").write_text("mine")
    with pytest.raises(OptionError, match="c: there already, and not as a step of this recipe left it; remove it"):
        build([*STEPS[:2], step], Path("/data"), tmp_path, run=runs)
    assert (tmp_path / "c").read_text() == "mine"
    assert len(runs.seen) == 2
    (tmp_path / "a/best").write_text("a training that was killed before it was recorded")
    with pytest.raises(OptionError, match="b: made by another command, or from other results"):
        build(STEPS, Path("/data"), tmp_path, run=runs)
    assert len(runs.seen) == 3


def test_a_step_that_leaves_nothing_is_an_error(tmp_path):
    with pytest.raises(ExportError, match="a: ended without"):
        build(STEPS, Path("/data"), tmp_path, run=lambda *_: None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no step"),
        ("[[step]]\nresult = 'a'", "step 1: expected either a command or factors"),
        ("[[step]]\nresult = '../a'\ncommand = 'x'", "lies outside"),
        ("[[step]]\nresult = 'a'\n[step.factors]\nvalu = 2.0", "step 1: .*valu"),
        (
            "[[step]]\nresult = 'a'\ncommand = 'x'\n[[step]]\nresult = 'a'\ncommand = 'y'",
            "a is the result of two steps",
        ),
    ],
)
def test_a_recipe_with_faults_is_refused(tmp_path, text, said):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(DataError, match=said):
        steps_from_file(tmp_path / "recipe.toml")


@pytest.mark.parametrize("model", SHIPPED)
def test_every_command_of_a_shipped_recipe_is_understood_and_stands_on_results_before_it(model, tmp_path):
    steps = steps_from_file(SHIPPED[model])
    made = [step.name for step in steps if step.name.endswith(".arseg")]
    assert {path.name for path in bundles() if path.name.startswith(model)} <= {*made}
    names: set[str] = set()
    for step in steps:
        words = step.arguments(Path("/data"), tmp_path) if step.command else []
        parse(words)
        read = {words[place + 1] for place, word in enumerate(words) if word in ("--from", "--pairs")}
        read |= {step.checkpoint.partition("/")[0]} if step.factors else set()
        assert read <= names, step
        names.add(step.name)


def test_every_shipped_bundle_has_a_recipe():
    assert all(any(path.name.startswith(model) for model in SHIPPED) for path in bundles())


def bundles():
    return [*(ROOT / "edge_arseg/zoo").glob("*.arseg")]


def parse(words):
    """Let click read a command line without running it."""
    command: click.Command = cli
    name = "edge-arseg"
    while words and isinstance(command, click.Group):
        name, command, words = command.resolve_command(click.Context(command), words)
    if isinstance(command, click.Group):
        return
    command.make_context(name, list(words))


@torch.inference_mode()
def test_factors_do_what_they_say():
    torch.manual_seed(2)
    network = lived_in(Network(Model("m", "compact", CAMVID_11, CAMVID_NORMALISATION)))
    creff = network.creff
    torch.nn.init.normal_(creff.position_bias)
    lr, warped = network.lr(torch.randn(1, 3, 64, 64)), torch.randn(1, 64, 16, 16)
    image = torch.randn(1, 3, 64, 64)
    feature, query, value, bias = network.lr(image), creff.query(lr), creff.value(warped), creff.position_bias.clone()
    flat = creff.value(torch.ones(1, 64, 5, 5))[:, :, 2, 2]
    centre = creff.value.weight[:, 0, 1, 1].clone()
    multiply(network, Factors(lr_feature=0.8, value=1.2, position_bias=1.3, sharpening=0.3))
    assert torch.allclose(network.lr(image), 0.8 * feature, rtol=1e-4, atol=1e-5)
    assert torch.allclose(creff.query(0.8 * lr), query, rtol=1e-4, atol=1e-4)
    assert torch.allclose(creff.position_bias, 1.3 * bias)
    # what is sharpened does not change where all places are alike
    assert torch.allclose(creff.value(torch.ones(1, 64, 5, 5))[:, :, 2, 2], 1.2 * flat, atol=1e-5)
    mean = torch.nn.functional.avg_pool2d(warped, 3, 1, 1)
    sharpened = 1.2 * value + 0.3 * 1.2 * centre[None, :, None, None] * (warped - mean)
    assert torch.allclose(creff.value(warped)[..., 1:-1, 1:-1], sharpened[..., 1:-1, 1:-1], atol=1e-4)


@pytest.mark.slow
def test_bundles_come_out_of_a_small_data_set(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "zoo"
    write_camvid(data / "camvid", [f"s_{number:02}" for number in range(10)])
    small = "--steps 2 --batch 2 --score-every 1 --precision float32 --workers 0"
    text = f"""
    [[step]]
    command = "train hr {{data}}/camvid -o hr --crop 48x64 --street 0 {small}"
    result = "hr/best.safetensors"
    [[step]]
    command = "train prepare {{data}}/camvid -o pairs --clips-per-image 1"
    result = "pairs/store.json"
    [[step]]
    command = "train lr hr --pairs pairs -o ar --score-pairs 2 {small.replace("--steps 2", "--steps 400")}"
    result = "ar/last.safetensors"
    until = 2
    [[step]]
    result = "ar.safetensors"
    [step.factors]
    checkpoint = "ar/last.safetensors"
    value = 1.2
    [[step]]
    command = "export ar.safetensors -o small.arseg --size 96x128 --clip 'test://street?size=96x128&frames=3'"
    result = "small.arseg/manifest.json"
    """
    (tmp_path / "recipe.toml").write_text(text)
    steps = steps_from_file(tmp_path / "recipe.toml")
    made = build(steps, data, folder, run=run_command)
    assert made == [step.result for step in steps]
    scored = [json.loads(line)["step"] for line in (folder / "ar/log.jsonl").read_text().splitlines()]
    assert 2 <= scored[-1] < 400
    before, after = (network_from_safetensors(folder / name) for name in ("ar/last.safetensors", "ar.safetensors"))
    assert torch.allclose(after.creff.value.weight, 1.2 * before.creff.value.weight)
    assert read_bundle(folder / "small.arseg").manifest.height == 96
    assert build(steps, data, folder, run=run_command) == []
