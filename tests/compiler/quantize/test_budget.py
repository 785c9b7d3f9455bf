from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.compiler.quantize.search.budget import BudgetTrial, layers_to_keep


def test_nothing_is_kept_where_nothing_is_lost():
    assert layers_to_keep(20, lambda kept: 0.1, 0.5) == (0, [BudgetTrial(0, 0.1)])


def test_the_search_spelled_out():
    kept, trials = layers_to_keep(20, lambda kept: 2.0 - 0.25 * kept, 0.5)
    assert kept == 6
    assert [trial.kept for trial in trials] == [0, 1, 2, 4, 8, 6, 5]


def test_what_cannot_be_had():
    kept, trials = layers_to_keep(5, lambda kept: 1.0, 0.5)
    assert kept is None
    assert [trial.kept for trial in trials] == [0, 1, 2, 4, 5]


def test_a_graph_without_layers_has_nothing_to_keep():
    assert layers_to_keep(0, lambda kept: 1.0, 0.5)[0] is None


@settings(max_examples=40)
@given(st.integers(1, 70), st.data())
def test_of_a_monotonous_loss_the_smallest_number_is_found(count, data):
    needed = data.draw(st.integers(0, count))
    kept, trials = layers_to_keep(count, lambda kept: 0.0 if kept >= needed else 1.0, 0.5)
    assert kept == needed
    assert len(trials) <= 2 * count.bit_length() + 2
    assert len({trial.kept for trial in trials}) == len(trials)


@settings(max_examples=40)
@given(st.integers(1, 40), st.data())
def test_whatever_the_loss_what_is_returned_held(count, data):
    drops = data.draw(st.lists(st.floats(0, 1), min_size=count + 1, max_size=count + 1))
    kept, trials = layers_to_keep(count, lambda kept: drops[kept], 0.5)
    if kept is not None:
        assert drops[kept] <= 0.5
        assert BudgetTrial(kept, drops[kept]) in trials
