"""Plans of a measurement: a matrix, and workloads."""

import json
import re

import numpy as np
import pytest
from support.bench.tiny import SOURCE, choose, options
from support.bundles.fake import FAKE

from edge_arseg.bench.bench import bench_from_options
from edge_arseg.bench.plans.matrix import cells, matrix_from_texts
from edge_arseg.bench.plans.workload import read_workload, workload_names
from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.errors import OptionError
from edge_arseg.runtime.mode import Mode
from edge_arseg.storage.data_folder import data_folder


def test_a_matrix_goes_on_with_the_runs_that_are_left(bundle, tmp_path):
    path = tmp_path / "m.json"
    asked = options(bundle, frames=8, modes=(Mode.AR,), matrix=matrix_from_texts(["gop=2,4", "threads=1,2"]))

    def stop(done, total, what):
        if what == "fake, ar, 1 thread, GOP 4":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench_from_options(asked, choose, path, progress=stop)
    assert [run.finished for run in read_record(path).runs] == [True, True, False, False]
    before = read_samples(path).frames
    record, _ = bench_from_options(asked, choose, path, resume=True)
    assert [run.latency["all"].frame.count for run in record.runs] == [8, 8, 8, 8]
    assert [run.finished for run in record.runs] == [True] * 4
    after = read_samples(path).frames
    assert (after["start_s"][:16] == before["start_s"][:16]).all()
    assert (np.diff(after["start_s"]) > 0).all()
    with pytest.raises(OptionError, match="is finished"):
        bench_from_options(asked, choose, path, resume=True)


def test_a_cell_that_cannot_be_had_is_named_and_left_out(bundle):
    asked = options(bundle, frames=8, modes=(Mode.HR,), matrix=matrix_from_texts(["precision=fp32,int8"]))
    record, _ = bench_from_options(asked, choose)
    assert len(record.runs) == 1
    (notice,) = [notice for notice in record.notices if notice.code == "failed"]
    assert notice.text == "precision=int8: no bundle that was named is of this kind"


def test_faults_of_a_matrix_are_told_together():
    with pytest.raises(OptionError, match=r"no axis is called 'size'.*gop=0: expected whole numbers from 1"):
        matrix_from_texts(["size=1", "gop=0,2"])
    assert list(cells(matrix_from_texts(["gop=2,4 motion=zero"]))) == [
        {"gop": 2, "motion": "zero"},
        {"gop": 4, "motion": "zero"},
    ]


def test_a_workload_names_what_its_data_is_and_not_where(tmp_path, bundle, edge_arseg):
    file = tmp_path / "w.toml"
    file.write_text(
        'source = "{clip}"\nbundles = ["{bundle}"]\nmodes = ["hr"]\ninterval = 2\n[matrix]\nthreads = [1]\n'
    )
    with pytest.raises(OptionError, match=r"{bundle} is not given: type --set bundle=VALUE; {clip}"):
        read_workload(str(file), {})
    answer = edge_arseg(
        *("bench", "--workload", file, "--set", f"clip={SOURCE}", "--set", f"bundle={bundle}", "--frames", 8),
        *(*FAKE, "--json"),
    )
    record = json.loads(answer.out)
    assert record["settings"]["workload"] == "w"
    assert record["runs"][0]["settings"]["interval"] == 2
    assert [run["settings"]["mode"] for run in record["runs"]] == ["hr"]


def test_shipped_workloads_can_be_read():
    assert workload_names()
    for name in workload_names():
        named = set(re.findall(r"\{([a-z_]+)\}", (data_folder("workloads") / f"{name}.toml").read_text()))
        assert read_workload(name, dict.fromkeys(named, "/place")).values["source"]
