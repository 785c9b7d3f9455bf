import numpy as np

from edge_arseg.tuning.trials.confidence import interval_of_miou, surely_worse
from edge_arseg.tuning.trials.scoring import FrameScores


def scores(hits):
    """Frames of two classes, 100 pixels each, of which so many are right."""
    confusions = np.array([[[right, 100 - right], [100 - right, right]] for right in hits], np.int64)
    return FrameScores(np.arange(len(hits)), np.arange(len(hits)) % 4, confusions)


def test_a_small_loss_on_every_frame_is_sure_and_a_large_one_on_some_is_not():
    hard = np.random.default_rng(1).integers(40, 95, 16)  # frames differ more than settings do
    assert surely_worse(scores(hard - 2), scores(hard))
    assert not surely_worse(scores(hard), scores(hard - 2))
    mixed = hard + np.where(np.arange(16) % 2, 4, -5)
    assert not surely_worse(scores(mixed), scores(hard))


def test_frames_that_one_of_two_lacks_count_for_neither():
    whole = scores([50] * 16 + [90] * 16)
    assert not surely_worse(whole.first(16), whole)
    assert surely_worse(scores([45] * 16), whole)


def test_the_interval_holds_the_value_and_narrows_with_frames():
    few, many = scores([60, 61, 62, 63, 80, 81, 82, 83] * 2), scores([60, 61, 62, 63, 80, 81, 82, 83] * 20)
    for one in (few, many):
        low, high = interval_of_miou(one)
        assert low < one.summary(("a", "b")).miou < high
    assert np.diff(interval_of_miou(many)) < 0.6 * np.diff(interval_of_miou(few))
    assert np.isnan(interval_of_miou(scores([60]))).all()
