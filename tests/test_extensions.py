"""Each row of CONTRIBUTING's table: what is added lies in one folder and is registered in one place.

The tests here add a toy one of each, as a file elsewhere and one row; sources, sinks and sensors have theirs beside
the tests of the ones that are there.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.bundles.fake import write_fake_bundle
from support.bundles.toy import moving_maps, write_image, write_toy_bundle

from edge_arseg import Branch, KeyframePolicy, Segmenter
from edge_arseg.bench.report.plots import PLOTS, plots_of
from edge_arseg.runtime.engines.opening import BACKENDS, packages_of_backends
from edge_arseg.spec.targets.files import targets
from edge_arseg.storage.data_folder import data_folder

ROOT = Path(__file__).parents[1]
VIDEO = "test://street?size=48x64&frames=6"


def rows():
    """Return the cells of the table: what, where it lies, the file of its registration, its name there, its test."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## What is added where")[2]
    lines = [line for line in section.split("\n") if line.startswith("| ")][1:]
    return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)}


THINGS = [
    *("a board", "an engine", "a sink", "a source kind", "a sensor", "a keyframe policy"),
    *("a report plot", "an int8 rule", "a backbone"),
]


def test_the_table_has_a_row_for_each():
    assert list(rows()) == THINGS


@pytest.mark.parametrize("thing", THINGS)
def test_what_the_table_names_exists(thing):
    folder, registration, test = rows()[thing]
    (path,) = re.findall(r"`([\w./]+/)", folder)
    assert (ROOT / path).is_dir()
    for name, file in re.findall(r"`(\w+)` in `([\w./]+)`", registration):
        assert re.search(rf"^{name}\b", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), f"{name} in {file}"
    file, name = re.fullmatch(r"`([\w./]+)::(\w+)`", test).groups()
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_a_board_is_a_file(tmp_path):
    """Its rails are measured, its precision chosen and its page printed from that file."""
    for path in data_folder("targets").glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "jetson-orin-nano-8gb.toml").read_text()
    text = text.replace('id = "jetson-orin-nano-8gb"', 'id = "toy-board"').replace("p3767-0003", "p9999-0003")
    text = text.replace("p3767-0005", "p9999-0005")
    (tmp_path / "toy-board.toml").write_text(text)
    found = targets(tmp_path)
    assert set(found) - set(targets()) == {"toy-board"}
    assert found["toy-board"].rails == found["jetson-orin-nano-8gb"].rails


def test_an_engine_is_a_module_and_a_row(edge_arseg, monkeypatch, tmp_path):
    """It is an option, it runs, and records have the version of its package."""
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine [hypothesis]")
    write_toy_bundle(tmp_path / "toy.arseg")
    for index, class_map in enumerate(moving_maps(6)):
        write_image(tmp_path / f"{index}.png", class_map)
    images = f"images://{tmp_path}/%d.png"
    command = ("bench", images, "-b", tmp_path / "toy.arseg", "--backend", "toy", "--mode", "hr", "--frames", "4")
    answer = edge_arseg(*command, "--motion", "zero", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["runs"][0]["settings"]["backend"] == "toy"
    assert "hypothesis" in packages_of_backends()


def test_a_keyframe_policy_is_a_function(tmp_path):
    """It is passed, and sees the last result; nothing is registered."""
    seen = []

    def policy(frame):
        seen.append(None if frame.last is None else int(frame.last.class_map[0, 0]))
        return Branch.HR if frame.distance == 2 else Branch.LR

    with Segmenter(
        write_fake_bundle(tmp_path / "fake.arseg"), backend="fake", fusion="graph", policy=policy
    ) as segmenter:
        distances = [result.distance for result in segmenter.stream(VIDEO)]
    assert distances == [0, 1, 0, 1, 0, 1]
    assert seen[0] is None
    assert None not in seen[1:]
    assert callable(KeyframePolicy())


def test_a_report_plot_is_a_module_and_a_row(monkeypatch, tmp_path):
    (tmp_path / "toy_plot.py").write_text("def plots_from_report(report):\n    yield report\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in list(PLOTS):
        monkeypatch.delitem(PLOTS, name)
    monkeypatch.setitem(PLOTS, "toy", "toy_plot:plots_from_report")
    assert plots_of("what is drawn") == {"toy": ["what is drawn"]}


def test_an_int8_rule_is_a_function_and_an_entry(monkeypatch):
    """A graph is rewritten by it before it is quantized."""
    pytest.importorskip("onnx")
    from support.graphs.quantization import one_conv

    from edge_arseg.compiler.quantize.rules import preparation

    def name_it(graph):
        for node in graph.nodes:
            node.doc_string = "seen by the toy rule"

    monkeypatch.setattr(preparation, "REWRITES", (*preparation.REWRITES, name_it))
    graph = preparation.prepared_graph(one_conv())
    assert {node.doc_string for node in graph.graph.node} == {"seen by the toy rule"}


def test_a_backbone_is_a_module_and_a_row(monkeypatch):
    pytest.importorskip("torch")
    from support.networks.tiny_backbone import TinyBackbone

    from edge_arseg.network.backbones.registry import BUILT_IN, backbone_from_name, backbone_names

    monkeypatch.setitem(BUILT_IN, "toy", TinyBackbone)
    assert "toy" in backbone_names()
    assert isinstance(backbone_from_name("toy"), TinyBackbone)
    assert np.prod(backbone_from_name("toy").feature_size(4, 6)) == 24
