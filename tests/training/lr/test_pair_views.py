"""Views of pairs by number, and which pairs are taken."""

import numpy as np
import pytest
from support.training.pair_stores import patch_store

from edge_arseg.training.lr.distances import DISTANCE_CHOICES
from edge_arseg.training.lr.pairs import spread_pairs
from edge_arseg.training.lr.settings import PairAugmentation
from edge_arseg.training.lr.views import JoinedPairs, PairViews, pair_batches
from edge_arseg.training.pairs.store import PairStore


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return PairStore(patch_store(tmp_path_factory.mktemp("pairs") / "store", clips=5))


def views(labelled, unlabelled=None, *, first=0, share=0.5):
    return PairViews(
        labelled,
        unlabelled,
        unlabelled_share=share,
        distance=DISTANCE_CHOICES["random"],
        augmentation=PairAugmentation(),
        seed=4,
        first=first,
        last=20,
    )


def test_a_run_that_goes_on_sees_what_it_would_have_seen(store):
    whole, rest = (
        list(pair_batches(views(store), 4, workers=0)),
        list(pair_batches(views(store, first=8), 4, workers=0)),
    )
    assert (len(whole), len(rest)) == (5, 3)
    for one, other in zip(whole[2:], rest, strict=True):
        assert all((getattr(one, name) == getattr(other, name)).all() for name in one.__slots__)
    assert (whole[0].frames != whole[1].frames).any()


def test_pairs_without_labels_come_as_often_as_asked(store):
    def share_of(**more):
        return np.mean([view[4] for view in (views(store, store, **more)[i] for i in range(20))])

    assert share_of(share=0.0) == 0.0
    assert share_of(share=1.0) == 1.0
    assert 0.2 < share_of(share=0.5) < 0.8
    assert not views(store)[0][4]
    assert views(None, store)[0][4]


def test_distances_are_chosen_as_they_say():
    def chosen(name, done, distances=(9, 1, 5)):
        random = np.random.default_rng(0)
        return {distances[DISTANCE_CHOICES[name](done, distances, random)] for _ in range(60)}

    assert chosen("fixed", 0.5) == {9}
    assert chosen("random", 0.0) == {1, 5, 9}
    assert chosen("growing", 0.0) == {1}
    assert chosen("growing", 0.2) == {1, 5}
    assert chosen("growing", 0.4) == {1, 5, 9}


def test_several_sources_are_one_behind_the_other(store):
    joined = JoinedPairs([store, store])
    assert len(joined.clips) == 10
    np.testing.assert_array_equal(joined.pair(7, 1).frame, store.pair(2, 1).frame)


@pytest.mark.parametrize("count", [1, 3, 5, 8, 10, 40])
def test_a_few_pairs_are_spread_over_clips_and_distances(store, count):
    pairs = spread_pairs(store, count)
    assert len(pairs) == min(count, 10)
    assert len({pair.frame.tobytes() for pair in pairs}) == len(pairs)
    if count > 1:
        assert {pair.distance for pair in pairs} == {1, 3}
