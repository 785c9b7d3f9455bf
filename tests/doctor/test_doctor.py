import importlib.util
import shutil
import sys

import pytest
from support.tensorrt import install

from edge_arseg.bench.conditions import conditions_now, cpu_model, memory_mb
from edge_arseg.doctor import findings as doctor
from edge_arseg.runtime.device.cuda import DeviceFacts


@pytest.fixture
def jetson(tmp_path):
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    (tmp_path / "proc/device-tree/compatible").write_bytes(b"nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0")
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: ARMv8 Processor rev 1 (v8l)\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:        7620024 kB\nMemFree: 1 kB\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n")
    return tmp_path


def by_subject(found):
    return {finding.subject: finding for finding in found}


def test_a_board_is_named(jetson):
    found = by_subject(doctor.findings(jetson))
    assert found["board"].seen == (
        "NVIDIA Jetson Orin Nano Developer Kit; Jetson Linux 36.4.3 (JetPack 6.2); target jetson-orin-nano-8gb"
    )
    assert "ARMv8 Processor" in found["machine"].seen
    assert "8 GB" in found["machine"].seen


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_board_without_a_release_is_named(jetson, content):
    release = jetson / "etc/nv_tegra_release"
    release.unlink() if content is None else release.write_text(content)
    board = by_subject(doctor.findings(jetson))["board"]
    assert board.verdict == "ok"
    assert board.seen.startswith("NVIDIA Jetson Orin Nano Developer Kit")


def test_a_board_that_is_not_known_is_named_by_the_user(jetson):
    (jetson / "proc/device-tree/compatible").write_bytes(b"nvidia,tegra234\0")
    board = by_subject(doctor.findings(jetson))["board"]
    assert board.verdict == "note"
    # The board calls itself an Orin Nano.
    assert board.advice == "compile with --target jetson-orin-nano-4gb or jetson-orin-nano-8gb"


def test_a_board_whose_device_tree_is_hidden_says_what_to_mount(jetson):
    shutil.rmtree(jetson / "proc/device-tree")
    board = by_subject(doctor.findings(jetson))["board"]
    assert board.verdict == "note"
    assert "Jetson Linux 36.4.3 (JetPack 6.2); /etc/nv_tegra_release is that of a Jetson" in board.seen
    assert "compile with --target jetson-agx-orin-32gb or " in board.advice
    assert "-v /etc/nv_boot_control.conf:/etc/nv_boot_control.conf:ro" in board.advice


def test_a_board_that_is_not_supported_says_why(jetson):
    (jetson / "proc/device-tree/compatible").write_bytes(b"nvidia,p3450-0000\0nvidia,tegra210\0")
    board = by_subject(doctor.findings(jetson))["board"]
    assert board.verdict == "note"
    assert "GridSample" in board.seen


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe", b"MemTotal: lots kB\n"])
def test_empty_and_broken_files_give_findings(jetson, content):
    for path in [path for path in jetson.rglob("*") if path.is_file()]:
        path.write_bytes(content)
    assert len(doctor.findings(jetson)) > 10


def test_tensorrt_is_advised_only_where_a_gpu_could_run_it(tmp_path, jetson, monkeypatch):
    monkeypatch.setattr(doctor, "tensorrt_is_here", lambda: False)
    (tmp_path / "pc").mkdir()
    assert by_subject(doctor.findings(tmp_path / "pc"))["TensorRT"].advice == ""
    assert "apt install python3-libnvinfer" in by_subject(doctor.findings(jetson))["TensorRT"].advice


def test_the_python_that_owns_tensorrt_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "tensorrt_is_here", lambda: False)
    (tmp_path / "usr/lib/python3.10/dist-packages/tensorrt").mkdir(parents=True)
    found = by_subject(doctor.findings(tmp_path))["TensorRT"]
    assert "installed for python3.10" in found.seen
    assert found.advice.startswith("python3.10 -m venv --system-site-packages .venv")


def test_what_is_installed_and_does_not_load_is_no_ok(jetson, monkeypatch):
    """TensorRT without its library, pycuda of another CUDA and a driver that shows no GPU were all passed over."""
    (jetson / "half/tensorrt").mkdir(parents=True)
    (jetson / "half/pycuda").mkdir()
    (jetson / "half/pycuda/__init__.py").write_text("")
    (jetson / "half/pycuda/driver.py").write_text("raise RuntimeError('compiled for another NumPy')")
    for name in ("tensorrt", "pycuda", "pycuda.driver"):
        monkeypatch.setitem(sys.modules, name, None)  # so that what is imported here is forgotten behind the test
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(jetson / "half")
    monkeypatch.setattr(doctor, "facts_from_driver", lambda: None)
    found = by_subject(doctor.findings(jetson))
    assert (found["TensorRT"].verdict, found["pycuda"].verdict, found["CUDA driver"].verdict) == ("note",) * 3
    assert "not what it needs (module 'tensorrt' has no attribute '__version__')" in found["TensorRT"].advice
    assert "pycuda cannot be loaded (compiled for another NumPy)" in found["pycuda"].advice
    assert "usermod -aG video" in found["CUDA driver"].advice
    assert doctor.device_ready(list(found.values()))


def test_what_the_engine_of_a_gpu_needs_is_named_where_it_is_there(jetson, monkeypatch):
    install(monkeypatch)
    monkeypatch.setattr(doctor, "facts_from_driver", lambda: DeviceFacts("p3767-0005", (8, 7), 8, 8 << 30))
    found = by_subject(doctor.findings(jetson))
    assert (found["TensorRT"].verdict, found["TensorRT"].seen) == ("ok", "10.3.0.30")
    assert found["CUDA driver"].seen == "p3767-0005, compute capability 8.7, 8 multiprocessors"
    assert found["pycuda"].verdict == "ok"


def test_no_board_is_no_fault(tmp_path):
    found = by_subject(doctor.findings(tmp_path))
    assert found["board"].verdict == "note"
    assert doctor.device_ready(list(found.values()))


@pytest.mark.parametrize(
    ("package", "ready", "subject", "advice"),
    [("onnxruntime", False, "onnxruntime", "install onnxruntime"), ("onnx", True, "host half", "[host]'")],
)
def test_a_missing_package_says_what_to_type(monkeypatch, package, ready, subject, advice):
    real = importlib.util.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == package else real(name))
    found = doctor.findings()
    said, _, which_torch = by_subject(found)[subject].advice.partition(" (PyTorch for CPUs")
    assert said.endswith(advice)
    assert bool(which_torch) is (subject == "host half" and real("torch") is None)
    assert by_subject(found)[package].seen.startswith("not installed")
    assert doctor.device_ready(found) is ready


def test_conditions_hold_what_a_record_needs(jetson):
    conditions = conditions_now()
    assert conditions.cores >= 1
    assert conditions.packages["numpy"]
    assert conditions.load >= 0
    assert memory_mb(jetson) == 7620024 * 1024 // 1_000_000
    assert memory_mb(jetson / "nowhere") == 0
    assert cpu_model(jetson) == "ARMv8 Processor rev 1 (v8l)"
    assert conditions_now(jetson).cpu_features is None
