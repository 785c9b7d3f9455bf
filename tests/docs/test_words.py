"""What the check of words refuses, and what it lets pass."""

import click
import pytest

pytest.importorskip("pyphen")  # counts syllables; of the extra `dev`

from tools.words import check, measure, texts


@pytest.mark.parametrize(
    ("help_", "fault"),
    [
        (None, "x --a: no help"),
        ("Of the engines.", "x --a: starts with 'Of'"),
        ("Stop after 3 frames.", "x --a: starts with 'Stop'"),
        ("Threads of the engines.", None),
    ],
)
def test_an_option_says_what_it_is(help_, fault):
    command = click.Command("x", params=[click.Option(["--a"], help=help_)])
    found = [one for one in check.option_faults(command) if not one.startswith("edge-arseg: ")]
    expected = [] if fault is None else [fault.replace("x --a", "edge-arseg --a")]
    assert [one.partition(";")[0] for one in found] == expected


def test_the_glossary_names_the_word_to_use():
    refused = check.refused_words(
        "| term | meaning | not called |\n|---|---|---|\n| class map | x | label map, seg map |\n"
    )
    assert refused == {"label map": "class map", "seg map": "class map"}
    assert list(check.text_faults("Two Label maps.", refused)) == ["'label map': the glossary calls it 'class map'"]


def test_riddles_are_refused():
    assert list(check.text_faults("Less cannot be had here.", {})) == [
        "'cannot be had': write 'is not possible, is not available'"
    ]


def test_riddles_and_refused_words_are_found_over_the_end_of_a_line():
    assert list(check.text_faults("Less cannot be\n    had here. Two label\nmaps.", {"label map": "class map"})) == [
        "'label map': the glossary calls it 'class map'",
        "'cannot be had': write 'is not possible, is not available'",
    ]


def test_prose_is_what_is_left_without_code_tables_and_headings():
    page = "# A b\n\nOne [two](x.md) `three`.\n\n| a | b |\n\n```sh\nfour\n```\n- five six seven.\n"
    assert texts.prose(page).split() == ["One", "two", "three.", "five", "six", "seven."]


def test_figures_of_a_text_whose_figures_are_known():
    """Six words, six syllables in two sentences: 206.835 - 1.015 * 3 - 84.6 * 1."""
    found = measure.figures("The cat sat. The dog ran.")
    assert found == {
        "sentences": 2,
        "words_per_sentence": 3.0,
        "median_words": 3.0,
        "long_sentences_percent": 0.0,
        "flesch_reading_ease": 119.2,
    }
