import importlib.util
from functools import partial
from pathlib import Path

from edge_arseg.bench.record import record_now, write_record

SCRIPT = Path(__file__).parents[2] / "benchmarks/cpu_page.py"


def cpu_page():
    spec = importlib.util.spec_from_file_location("cpu_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(scale):
    return {
        "key_ms": 10 * scale,
        "between_ms": 2 * scale,
        "mean_ms": 3 * scale,
        "realised": 2.5,
        "realised_over_promised": 0.875,
        "outside_networks": 0.125,
    }


def record():
    stages = {"key": {"decode": 1.0, "hr": 9.0}, "between": {"decode": 0.25, "lr": 1.5, "fuse": 0.3}}
    model = {
        "size": [720, 960],
        "load_before": 0.25,
        "load_after": 2.0,
        "promised": 3.08,
        "hr_only_ms": 9.5,
        **{way: row(scale) for scale, way in enumerate(("ar", "alone", "codec"), 1)},
        "stages_ms": dict.fromkeys(("ar", "alone", "codec"), stages),
        "fusion": {
            "kernel_ms": 1.0,
            "graph_ms": 8.0,
            "graph_over_kernel": 8.0,
            "share_of_product": 0.42,
            "unfold_over_fusion": None,
            "eager_mean_ms": 30.0,
            "eager_over_ar": 1.75,
        },
    }
    return {
        "taken": "2026-11-30T23:04:16+00:00",
        "conditions": {"cpu": "Some CPU", "cores": 2, "packages": {"onnxruntime": "1.2.3"}},
        "settings": {"threads": 2, "gop": 12, "lr_scale": 0.5},
        "values": {"psp18": model},
    }


def test_the_page_shows_what_the_record_holds():
    page = cpu_page().page_from_record(record())
    for line in (
        "| recoded motion, next frame read ahead | 10.0 | 2.0 | 3.0 | 9.5 | 2.50 | 3.08 | 88% | 12% |",
        "| psp18 | alone | 0.2 |  |  | 1.5 | 0.3 |  |  |",
        "| psp18 | 1.0 | 8.0 | 8.0 | 42% | - | 30 | 1.75 |",
        "on 2026-11-30.",
    ):
        assert line in page
    assert "psp18 0.2 to 2.0" in page


def test_the_page_is_the_one_of_the_record():
    """Both come from one run, or there is neither."""
    module = cpu_page()
    assert module.PAGE.is_file() == module.RECORD.is_file()
    if module.PAGE.is_file():
        assert module.PAGE.read_text() == module.page_from_record(module.read_record()), "run `make bench-cpu`"


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    module = cpu_page()
    monkeypatch.setattr(module, "RECORD", tmp_path / "record.json")
    asked = partial(record_now, "bench_cpu", settings={"size": [720, 960], "threads": 2})
    assert module.values_beside(asked(values={})) == {}
    write_record(asked(values={"psp18": {"size": [720, 960]}}), module.RECORD)
    assert module.values_beside(asked(values={})) == {"psp18": {"size": [720, 960]}}
    assert module.values_beside(record_now("bench_cpu", settings={"size": [720, 960], "threads": 1}, values={})) == {}
