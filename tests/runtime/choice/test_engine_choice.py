"""Which bundle and backend are taken where one or none is named, and what is refused."""

from dataclasses import replace

import pytest
from runtime.choice.choosing import OPTIONS, choice, taken
from support.bundles.toy import GOP, write_toy_bundle

from edge_arseg.doctor.engine_table import engine_table
from edge_arseg.errors import BundleError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice import engine_choice
from edge_arseg.runtime.choice.engine_choice import Choice, settled, unproved
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter


def test_the_fastest_pair_that_passes_is_taken(zoo, table):
    made, _ = table
    made[("small-int8", "toy")] = (0.94, 3.0)  # the fastest, and wrong here
    made[("small", "toy")] = (1.0, 9.0)
    made[("small-int8", "slow")] = (0.995, 7.0)
    found = choice(candidates=("toy", "slow", "missing"))
    assert taken(found) == ("small-int8", "slow")
    assert str(found) == (
        "small-int8 on slow: the fastest of 2 that give the right classes here, 7.0 ms a frame"  # nothing remembered
    )
    assert found.agreement == 0.995
    assert {(t.bundle, t.backend): t.agreement for t in found.trials}["small-int8", "toy"] == 0.94


def test_a_heavier_model_in_the_package_is_for_who_names_it(heavy, table):
    made, asked = table
    made[("heavy-int8", "toy")] = (1.0, 1.0)
    made[("small", "toy")] = (1.0, 9.0)
    assert taken(choice()) == ("small", "toy")
    assert {bundle for bundle, _, _ in asked} == {"small", "small-int8"}
    assert taken(choice("heavy-int8")) == ("heavy-int8", "toy")


def test_doctor_tries_every_model_in_the_package(heavy, table, monkeypatch):
    made, _ = table
    monkeypatch.setattr(engine_choice, "CANDIDATES", ("toy", "slow"))
    made[("heavy-int8", "toy")] = (1.0, 1.0)
    made[("small", "slow")] = (1.0, 9.0)
    found = engine_table()
    assert {(row.bundle, row.backend) for row in found.rows if row.passes} == {("heavy-int8", "toy"), ("small", "slow")}
    assert (found.bundle, found.backend) == ("small", "slow")
    made[("small", "slow")] = (0.9, None)
    none = engine_table(again=True)
    assert (none.bundle, none.how[:31]) == (None, "no bundle of the lightest model")  # the heavy one passes


def test_a_backend_named_alone_gets_the_fastest_bundle_that_passes_on_it(zoo, table):
    made, asked = table
    made[("small-int8", "slow")] = (0.9, 1.0)
    made[("small", "slow")] = (1.0, 5.0)
    assert taken(choice(options=replace(OPTIONS, backend="slow"))) == ("small", "slow")
    assert {backend for _, backend, _ in asked} == {"slow"}


def test_a_bundle_named_alone_gets_the_fastest_backend_that_passes(bundle):
    found = choice(bundle, candidates=("slow", "missing", "broken", "wrong", "toy"))
    assert taken(found) == ("toy", "toy")
    slow, missing, broken, wrong, toy = found.trials
    assert slow.frame_ms >= 5 * (1 + 2 * (GOP - 1)) / GOP > toy.frame_ms  # LR and fusion: two runs for a frame between
    assert (missing.frame_ms, missing.reason) == (None, "no such library")
    assert broken.reason == "RuntimeError: a library of its own accord"
    assert (wrong.frame_ms, wrong.agreement) == (None, 0.9375)


def test_a_fault_in_the_fusion_does_not_count_where_nothing_is_fused(bundle):
    assert choice(bundle, modes=[Mode.HR], candidates=("wrong",)).options.backend == "wrong"
    with pytest.raises(EnvironmentUnfitError, match=r"93\.75% .* 99\.00% expected \(mode hr, ar\)"):
        choice(bundle, modes=[Mode.HR, Mode.AR], candidates=("wrong",))


def test_the_bundles_own_gate_counts(bundle, monkeypatch):
    monkeypatch.setattr(engine_choice, "required_agreement", lambda manifest: 0.9)
    assert choice(bundle, candidates=("wrong",)).options.backend == "wrong"


def test_where_nothing_runs_every_reason_is_given(bundle):
    with pytest.raises(EnvironmentUnfitError, match=r"(?s)toy on missing: no such library\n.*toy on broken: Runtime"):
        choice(bundle, candidates=("missing", "broken"))


def test_bundles_in_the_package_are_named_as_they_are_typed_and_a_common_reason_is_given_once(zoo, table):
    with pytest.raises(EnvironmentUnfitError) as refused:
        choice(candidates=("absent",))
    assert str(refused.value).splitlines() == [
        "no backend runs small-int8, small here; see `edge-arseg doctor`",
        "  small-int8, small on absent: not installed",
    ]


def test_a_named_pair_that_gives_wrong_classes_is_refused_with_the_ways_out(bundle):
    wrong = replace(OPTIONS, backend="wrong")
    with pytest.raises(EnvironmentUnfitError) as refused:
        choice(bundle, options=wrong)
    assert str(refused.value).splitlines() == [
        f"{bundle.path}: on wrong 93.75% of the golden pixels get the expected class here, 99.00% expected (mode ar); "
        "ways out:",
        "  --backend toy: 100.00% of the pixels agree there",
        "  --backend slow: 100.00% of the pixels agree there",
        "  --unchecked: runs it anyway (unchecked=True in Python)",
    ]
    assert refused.value.exit_code == 3


def test_a_way_out_is_the_bundle_that_it_was_made_from(tmp_path, bundle):
    made = read_bundle(write_toy_bundle(tmp_path / "made.arseg", name="made", compiled_from=bundle.digest))
    with pytest.raises(EnvironmentUnfitError, match=rf"-b {bundle.path}: the bundle that this one was made from"):
        choice(made, options=replace(OPTIONS, backend="wrong"))
    elsewhere = read_bundle(write_toy_bundle(tmp_path / "far/made.arseg", compiled_from=bundle.digest))
    with pytest.raises(EnvironmentUnfitError, match=f"-b with the bundle of digest {bundle.digest[:12]}"):
        choice(elsewhere, options=replace(OPTIONS, backend="wrong"))


def test_unchecked_runs_it_with_a_warning(bundle, caplog):
    with Segmenter(bundle, fusion="graph", backend="wrong", unchecked=True) as segmenter:
        assert segmenter.choice.agreement == 0.9375
    (line,) = [record.getMessage() for record in caplog.records]
    assert "on wrong 93.75% of the golden pixels" in line
    assert line.endswith("it runs anyway, because of --unchecked")
    caplog.clear()
    with Segmenter(bundle, fusion="graph", backend="toy", unchecked=True):
        assert caplog.records == []


def test_unchecked_without_a_backend_takes_the_one_that_agrees_most(bundle, table):
    made, _ = table
    made[("toy", "toy")], made[("toy", "slow")] = (0.5, None), (0.9, None)
    found = choice(bundle, options=replace(OPTIONS, unchecked=True))
    assert taken(found) == ("toy", "slow")
    assert "90.00% of the golden pixels" in found.warnings[0]


def test_what_keeps_a_named_backend_from_running_is_said_as_it_is(bundle):
    with pytest.raises(EnvironmentUnfitError, match=r"^no such library"):
        choice(bundle, options=replace(OPTIONS, backend="missing"))
    with pytest.raises(RuntimeError, match="own accord"):
        choice(bundle, options=replace(OPTIONS, backend="broken"))
    with pytest.raises(OptionError, match="no backend is called 'nope'"):
        choice(bundle, options=replace(OPTIONS, backend="nope"))
    with pytest.raises(OptionError, match=r"fusion 'kernal' seen, did you mean kernel\? expected one of auto, "):
        choice(bundle, options=replace(OPTIONS, fusion="kernal"))


def test_a_backend_that_computes_nothing_is_not_compared(bundle):
    found = choice(bundle, options=EngineOptions(backend="fake"))
    assert (found.how, found.agreement) == ("as named; it computes nothing", None)


def test_a_choice_that_was_made_is_taken_as_it_is(bundle):
    made = unproved(bundle, replace(OPTIONS, backend="wrong"))
    choice, modes = settled(made, [Mode.AR], (), EngineOptions())
    assert choice is made
    assert modes == (Mode.AR,)
    assert isinstance(made, Choice)


def test_the_bundles_in_the_package_are_compared_with_their_digests_before_they_run(zoo, tmp_path):
    graph = tmp_path / "zoo/small.arseg/onnx/hr.onnx"
    graph.write_bytes(b"yot")  # as long as it was
    with pytest.raises(BundleError, match=r"small\.arseg: 1 of 8 files is not as written"):
        choice()
