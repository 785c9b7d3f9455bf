"""Every example runs, on a tiny network and a tiny video, and uses public names only."""

import ast
import configparser
import json
import re
import runpy
import shlex
import shutil
import site
import subprocess
import sys
import types
import zipfile
from array import array
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import av
import numpy as np
import pytest

import edge_arseg
from edge_arseg.testing.engine import EngineTester

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
VIDEO = "test://street?size=90x122&frames=7"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example as a program and return what it printed."""

    def start(name: str, *arguments: object) -> str:
        monkeypatch.syspath_prepend(str(FOLDER))
        monkeypatch.setattr(sys, "argv", [str(EXAMPLES[name]), *map(str, arguments)])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
        return capsys.readouterr().out

    return start


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {"own_backbone", "ros2_node"}))
def test_without_arguments_an_example_says_its_usage(name):
    if name == "gstreamer_appsink":
        pytest.importorskip("gi")
    if name == "compile_from_python":
        pytest.importorskip("torch")
    done = subprocess.run([sys.executable, str(EXAMPLES[name])], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "usage: python examples/" in done.stderr
    assert "Traceback" not in done.stderr


def test_segment_video(run, own_bundle):
    lines = run("segment_video", VIDEO, own_bundle).splitlines()
    assert len(lines) == 7
    assert [line.split()[2] for line in lines] == ["hr", "lr", "lr", "lr", "lr", "hr", "lr"]
    assert "road" in lines[0]


def test_own_sink(run, own_bundle, tmp_path):
    out = run("own_sink", VIDEO, own_bundle, tmp_path / "shares.csv")
    assert "7 frames, 2 keyframes" in out
    rows = (tmp_path / "shares.csv").read_text().splitlines()
    assert rows[0].startswith("time_s,branch,sky,building")
    assert len(rows) == 8
    assert sum(map(float, rows[1].split(",")[2:])) == pytest.approx(1, abs=0.001)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_class_areas_in_cpp(tmp_path):
    program = tmp_path / "class_areas"
    source = FOLDER / "class_areas.cpp"
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True)
    frames = bytes([0, 0, 3, 255]) + bytes([1, 1, 1, 1])
    done = subprocess.run([program, "2", "2"], input=frames, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"0 0:0.5 3:0.25 255:0.25\n1 1:1\n")
    done = subprocess.run([program, "1", "3"], input=frames, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"the last frame has 2 of 3 bytes: is the size right?\n")
    assert subprocess.run([program], capture_output=True, check=False).returncode == 2


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
def test_class_areas_in_node(own_bundle, tmp_path, monkeypatch):
    command = tmp_path / "edge-arseg"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edge_arseg "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))

    def node(*arguments: object) -> subprocess.CompletedProcess[str]:
        program = ["node", FOLDER / "class_areas.mjs", *map(str, arguments)]
        return subprocess.run(program, capture_output=True, text=True, check=False, timeout=300)

    options = ("-b", own_bundle, "--backend", "onnxruntime")
    done = node(VIDEO, "road", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.fullmatch(r"\d\.\d\d s: \d+\.\d %", line) for line in done.stdout.splitlines())
    done = node(VIDEO, "cat", *options)
    assert (done.returncode, "no class is called cat; known: sky, " in done.stderr) == (2, True)
    assert node("nothing.mp4", "road").returncode == 4
    assert node(VIDEO).returncode == 2
    program = f"{shlex.join(map(str, ('node', FOLDER / 'class_areas.mjs', VIDEO, 'road', *options)))} | true"
    behind = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert behind.stderr == ""


def test_own_policy(run, own_bundle):
    """The small network's random weights change few classes on a slow street."""
    out = run("own_policy", VIDEO, own_bundle)
    assert out.startswith("7 frames, keyframes: [0")


def test_own_engine(run, own_bundle):
    out = run("own_engine", VIDEO, own_bundle)
    assert "own_engine:PlainEngine" in out
    assert out.endswith(": hr lr lr lr lr hr lr\n")


class TestOwnEngine(EngineTester):
    def open(self, path):
        return runpy.run_path(str(EXAMPLES["own_engine"]))["PlainEngine"](path)


def test_compile_from_python(run, own_checkpoint, tmp_path):
    path, _, backbone = own_checkpoint
    out = run("compile_from_python", path, tmp_path / "own.arseg", "cpu", backbone)
    assert "own.arseg: 100.00% of the pixels get torch's class, or more" in out
    assert (tmp_path / "own-cpu.arseg" / "manifest.json").is_file()
    assert "own-cpu.arseg: 100.00% on onnxruntime" in out


def test_own_backbone(own_bundle):
    """The bundle of the other tests is made of it."""
    assert edge_arseg.read_bundle(own_bundle).manifest.model.backbone == "own_backbone:build"


def pictures(data, kind="rgb24"):
    with av.open(data) as file:
        return next(file.decode(video=0)).to_ndarray(format=kind)


def class_maps(bundle):
    with edge_arseg.Segmenter(bundle) as segmenter:
        return {result.frame.index: result.class_map.copy() for result in segmenter.stream(VIDEO)}


def test_cvat_masks(run, own_bundle, tmp_path):
    assert run("cvat_masks", VIDEO, own_bundle, tmp_path / "masks.zip", 3).startswith("3 masks of 11 classes")
    expected = class_maps(own_bundle)
    with zipfile.ZipFile(tmp_path / "masks.zip") as archive:
        lines = [line for line in archive.read("labelmap.txt").decode().splitlines() if not line.startswith("#")]
        colours = {line.split(":")[0]: tuple(map(int, line.split(":")[1].split(","))) for line in lines}
        assert len(set(colours.values())) == len(colours) == 12
        assert colours["background"] == (0, 0, 0)
        names = archive.read("ImageSets/Segmentation/default.txt").decode().split()
        assert names == ["frame_000000", "frame_000003", "frame_000006"]
        for name in names:
            with archive.open(f"SegmentationClass/{name}.png") as file:
                seen = pictures(file)
            with archive.open(f"images/{name}.png") as file:
                assert pictures(file).shape == seen.shape
            for index, colour in enumerate(list(colours.values())[1:]):
                assert ((seen == colour).all(-1) == (expected[int(name[-6:])] == index)).all()


def decoded_rle(code):
    """Label Studio's brush code back to bytes, read bit by bit."""
    bits, place = "".join(f"{byte:08b}" for byte in code), 0

    def take(count):
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    count, width, sizes = take(32), take(5) + 1, [take(4) + 1 for _ in range(4)]
    out = []
    while len(out) < count:
        same, length = take(1), take(2)
        length = take(sizes[length]) + 1
        out += [take(width)] * length if same else [take(width) for _ in range(length)]
    return np.array(out, np.uint8)


def test_label_studio(run, own_bundle, tmp_path):
    assert run("label_studio", VIDEO, own_bundle, tmp_path / "out", 6).startswith("2 tasks in")
    expected = class_maps(own_bundle)
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    labels = [label.get("value") for label in ElementTree.parse(tmp_path / "out/config.xml").iter("Label")]
    assert len(labels) == 11
    for task, index in zip(tasks, (0, 6), strict=True):
        name = task["data"]["image"].partition("?d=")[2]
        assert pictures(str(tmp_path / "out" / name)).shape == (90, 122, 3)
        (prediction,) = task["predictions"]
        covered = np.zeros((90, 122), int)
        for region in prediction["result"]:
            assert (region["original_height"], region["original_width"], region["type"]) == (90, 122, "brushlabels")
            alpha = decoded_rle(region["value"]["rle"]).reshape(90, 122, 4)[..., 3]
            (label,) = region["value"]["brushlabels"]
            assert ((alpha == 255) == (expected[index] == labels.index(label))).all()
            covered += alpha == 255
        assert (covered == 1).all()


def test_pictures_of_another_shape_are_annotated_in_their_own_size_without_bars(run, own_bundle, tmp_path):
    """The bars that a network sees above and below were annotated as what it took them for."""
    wide = "test://street?size=90x244&frames=1"
    run("cvat_masks", wide, own_bundle, tmp_path / "masks.zip")
    with zipfile.ZipFile(tmp_path / "masks.zip") as archive:
        with archive.open("images/frame_000000.png") as file:
            assert pictures(file).shape == (90, 244, 3)
        with archive.open("SegmentationClass/frame_000000.png") as file:
            seen = pictures(file)
    with edge_arseg.Segmenter(own_bundle) as segmenter:
        (expected,) = (result.at_source().copy() for result in segmenter.stream(wide))
        colours = np.array([info.color for info in segmenter.bundle.manifest.model.classes], np.uint8)
    assert (seen == colours[expected]).all()
    run("label_studio", wide, own_bundle, tmp_path / "out")
    (task,) = json.loads((tmp_path / "out/tasks.json").read_text())
    assert pictures(str(tmp_path / "out/images/frame_000000.png")).shape == (90, 244, 3)
    labels = [label.get("value") for label in ElementTree.parse(tmp_path / "out/config.xml").iter("Label")]
    found = np.full((90, 244), 255, np.uint8)
    for region in task["predictions"][0]["result"]:
        assert (region["original_height"], region["original_width"]) == (90, 244)
        alpha = decoded_rle(region["value"]["rle"]).reshape(90, 244, 4)[..., 3]
        found[alpha == 255] = labels.index(region["value"]["brushlabels"][0])
    assert (found == expected).all()


class FakeNode:
    """What the example uses of rclpy's node: ROS 2 is no Python package, and its own are for other distributions."""

    given: ClassVar[dict] = {}
    published: ClassVar[dict] = {}

    def __init__(self, name):
        self.name = name

    def declare_parameter(self, name, default):
        return types.SimpleNamespace(value=self.given.get(name, default))

    def create_publisher(self, kind, topic, qos):
        sent = self.published.setdefault(topic, [])
        return types.SimpleNamespace(publish=lambda message: sent.append((kind, qos, message)))

    def get_clock(self):
        now = types.SimpleNamespace(to_msg=lambda: "now")
        return types.SimpleNamespace(now=lambda: now)

    def destroy_node(self):
        self.published["destroyed"] = True


class FakeMessage:
    def __init__(self, **fields):
        self.header = types.SimpleNamespace()
        self.__dict__.update(fields)


def test_ros2_node(run, own_bundle, monkeypatch):
    fakes = {
        "rclpy": {"init": lambda args: None, "ok": lambda: True, "try_shutdown": lambda: None},
        "rclpy.node": {"Node": FakeNode},
        "rclpy.qos": {
            "DurabilityPolicy": types.SimpleNamespace(TRANSIENT_LOCAL="latched"),
            "QoSProfile": lambda depth, durability: (depth, durability),
            "qos_profile_sensor_data": "sensor",
        },
        "sensor_msgs": {},
        "sensor_msgs.msg": {"Image": type("Image", (FakeMessage,), {})},
        "std_msgs": {},
        "std_msgs.msg": {"String": type("String", (FakeMessage,), {})},
    }
    for name, members in fakes.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(FakeNode, "given", {"source": VIDEO, "bundle": str(own_bundle), "frame_id": "front"})
    monkeypatch.setattr(FakeNode, "published", sent := {})
    assert "7 frames published" in run("ros2_node")
    ((_, qos, classes),) = sent["segmentation/classes"]
    assert (qos, len(json.loads(classes.data))) == ((1, "latched"), 11)
    maps = [message for _, qos, message in sent["segmentation/class_map"] if qos == "sensor"]
    expected = class_maps(own_bundle)
    for index, message in enumerate(maps):
        assert (message.height, message.width, message.step, message.encoding) == (90, 122, 122, "mono8")
        assert (message.header.stamp, message.header.frame_id) == ("now", "front")
        # rclpy takes this type as it is, and checks every byte of another in Python
        assert message.data == array("B", expected[index].tobytes())
    assert len(maps) == 7
    assert sent["destroyed"]


def test_gstreamer_appsink(own_bundle, tmp_path):
    """Debian's Python has GStreamer, and takes the packages of this one where both are of one version."""
    python = "/usr/bin/python3"
    wants = "import sys, gi; gi.require_version('GstApp', '1.0'); from gi.repository import Gst; Gst.init(None); "
    wants += "assert all(map(Gst.ElementFactory.find, ('h264parse', 'matroskamux', 'qtdemux'))); "
    wants += "print(sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", wants], capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("no Python of the distribution")
    if answer.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip(
            "apt install python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
        )
    from edge_arseg.video.sources.street_clip import write_street

    write_street(tmp_path / "street.mp4", size=(90, 122), count=7, gop=5, codec="libx264")
    packages = [path for path in sys.path if path.endswith("site-packages")] or site.getsitepackages()
    done = subprocess.run(
        [python, str(EXAMPLES["gstreamer_appsink"]), str(tmp_path / "street.mp4"), str(own_bundle)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join([str(FOLDER.parent), *packages]), "HOME": str(tmp_path)},
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["hr", "lr", "lr", "lr", "lr", "hr", "lr"]


def test_the_package_of_jetson_containers_installs_what_setup_cfg_asks_for():
    folder = FOLDER / "jetson_containers"
    text = (folder / "Dockerfile").read_text()
    header = re.match(r"#---\n((?:# .+\n)+)#---\n", text)
    entries = dict(line.removeprefix("# ").split(": ", 1) for line in header[1].splitlines())
    assert entries["name"] == "edge_arseg"
    assert {"tensorrt", "onnxruntime", "numpy"} <= set(entries["depends"].strip("[]").split(", "))
    assert (folder / entries["test"]).stat().st_mode & 0o111
    setup = configparser.ConfigParser()
    setup.read(FOLDER.parent / "setup.cfg")
    wanted = setup["options"]["install_requires"].split("\n")[1:]
    names = {re.match(r"[\w-]+", line)[0] for line in wanted}
    installed = {re.match(r"[\w-]+", one)[0] for one in re.findall(r"'([\w-]+>=[\d.]+)'", text)}
    assert installed == names - {"numpy", "onnxruntime"}
    assert all(line.partition(";")[0] in text for line in wanted if re.match(r"[\w-]+", line)[0] in installed)
    assert text.index("ARG BASE_IMAGE") < text.index("FROM ${BASE_IMAGE}")


def test_every_example_has_a_test():
    assert {f"test_{name}" for name in EXAMPLES} - set(globals()) == set()
    readme = (FOLDER / "README.md").read_text()
    assert all(f"`{name}.py`" in readme for name in EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_imports_public_names_only(name):
    tree = ast.parse(EXAMPLES[name].read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    nodes = [node for node in nodes if (node.module or "").startswith("edge_arseg")]
    assert nodes
    for node in nodes:
        assert node.module == "edge_arseg"
        assert {alias.name for alias in node.names} <= set(edge_arseg.__all__)
