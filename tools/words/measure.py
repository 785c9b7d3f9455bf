#!/usr/bin/env python3
"""Measure how the help and the pages read, and keep the figures.

usage: python -m tools.words.measure [--record FILE] [--as before|after]

Flesch reading ease is 206.835 - 1.015 * words per sentence - 84.6 * syllables per word (Flesch 1948): higher is easier,
60 to 70 is plain English. Syllables are pyphen's hyphenation points plus one. textstat was not taken: it needs NLTK for
the same figure.
"""

import argparse
import json
import re
import statistics
import sys
from pathlib import Path

import pyphen

from tools.words.texts import ROOT, help_text, pages, prose

RECORD = ROOT / "benchmarks" / "results" / "readability.json"
LONG = 30
"""Words from which on a sentence counts as long."""
_HYPHENS = pyphen.Pyphen(lang="en_US")


def sentences(text: str) -> list[list[str]]:
    """Return the sentences of a text as words; what has fewer than three words is no sentence."""
    blocks = re.split(r"\n\s*\n|\n(?=\n)", text)
    parts = [part for block in blocks for part in re.split(r"(?<=[.!?:;])\s+(?=[\"A-Z`(-])", " ".join(block.split()))]
    found = [re.findall(r"[A-Za-z][A-Za-z'-]*", part) for part in parts]
    return [words for words in found if len(words) >= 3]


def figures(text: str) -> dict[str, float]:
    """Return the figures of a text."""
    found = sentences(text)
    words = [word for sentence in found for word in sentence]
    lengths = [len(sentence) for sentence in found]
    syllables = sum(len(_HYPHENS.positions(word)) + 1 for word in words)
    mean = len(words) / len(found)
    return {
        "sentences": len(found),
        "words_per_sentence": round(mean, 1),
        "median_words": statistics.median(lengths),
        "long_sentences_percent": round(100 * sum(length > LONG for length in lengths) / len(found), 1),
        "flesch_reading_ease": round(206.835 - 1.015 * mean - 84.6 * syllables / len(words), 1),
    }


def measured() -> dict[str, dict[str, float]]:
    """Return the figures of the help, of all pages together, and of each page."""
    from edge_arseg.cli.main import cli

    texts = {str(page.relative_to(ROOT)): prose(page.read_text(encoding="utf-8")) for page in pages()}
    return {
        "help": figures(help_text(cli)),
        "pages": figures("\n\n".join(texts.values())),
        **{name: figures(text) for name, text in texts.items() if len(sentences(text)) >= 5},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--as", dest="name", choices=["before", "after"], default="after")
    given = parser.parse_args()
    found = measured()
    record = json.loads(given.record.read_text()) if given.record.exists() else {"schema": 1}
    record[given.name] = found
    given.record.write_text(json.dumps(record, indent=1) + "\n")
    for name, values in found.items():
        print(f"{name:50} " + "  ".join(f"{key} {value}" for key, value in values.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
