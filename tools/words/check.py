#!/usr/bin/env python3
"""Refuse options without help, help that is no noun phrase, words outside the glossary, and riddles.

usage: python -m tools.words.check    (part of make lint)
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tools.words.texts import ROOT, commands, help_text, options, pages, prose

GLOSSARY = ROOT / "docs" / "glossary.md"
NO_NOUN = frozenset(
    (
        *("about", "after", "as", "at", "before", "by", "for", "from", "how", "if", "in", "least", "not", "of", "on"),
        *("so", "that", "then", "to", "what", "when", "where", "whether", "which", "with", "is", "are", "be"),
        *("print", "show", "write", "stop", "keep", "use", "build", "set", "replace", "recode"),
    )
)
"""Words that an option's help does not start with: it says what the option is, before what it does."""
RIDDLES = {
    r"\bgo(?:es)? by\b": "follow, use",
    r"\b(?:go|goes|went|going) on\b": "continue",
    r"\b(?:can(?:not)?|could not) be had\b": "is not possible, is not available",
    r"\bas good as none\b": "is ignored",
    r"\bwithout a word\b": "without a message",
    r"\bsays nothing\b": "is silent, has no value",
    r"\bwhat is had\b": "what there is",
    r"\bby its own name\b": "under its own name",
    r"\bis beyond\b": "is not supported by",
    r"\ball the same\b": "anyway",
    r"\bis no more\b": "does not exist any more",
    r"\bnot one of\b": "none of",
    r"^(?:Of|Least|Most) (?:the |a |an )": "start with a noun: 'Threads of the engines.'",
}
"""Expressions that readers stumbled over, and what to write. Refused in help, pages, messages and docstrings."""


def option_faults(root: click.Command) -> Iterator[str]:
    """Yield what is wrong with the help of options."""
    for name, command in commands(root):
        for one in options(command):
            text = (one.help or "").strip()
            where = f"{name} {one.opts[0]}"
            if not text:
                yield f"{where}: no help"
            elif text.split()[0].lower().strip(".,:;") in NO_NOUN:
                yield f"{where}: starts with {text.split()[0]!r}; say what it is first: 'Threads of the engines.'"


def refused_words(glossary: str) -> dict[str, str]:
    """Return the words that the glossary refuses, each with the term to use."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in glossary.splitlines() if line[:2] == "| "]
    return {word.strip(): term for term, _, words in rows[1:] for word in words.split(",") if word.strip()}


def text_faults(text: str, refused: dict[str, str]) -> Iterator[str]:
    """Yield refused words and riddles in a text."""
    for word, term in refused.items():
        if re.search(_over_lines(rf"\b{re.escape(word)}s?\b"), text, re.IGNORECASE):
            yield f"{word!r}: the glossary calls it {term!r}"
    for pattern, better in RIDDLES.items():
        if found := re.search(_over_lines(pattern), text, re.MULTILINE):
            yield f"{' '.join(found[0].split())!r}: write {better!r}"


def _over_lines(pattern: str) -> str:
    """Return a pattern whose spaces also fit the end of a line, where a page or a docstring is wrapped."""
    return re.sub(r"\\? ", r"\\s+", pattern)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that a person may read: docstrings and messages, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def faults() -> list[str]:
    """Return everything that is refused, one line each."""
    from edge_arseg.cli.main import cli

    refused = refused_words(GLOSSARY.read_text(encoding="utf-8"))
    found = list(option_faults(cli))
    found += [f"help: {one}" for one in text_faults(help_text(cli), refused)]
    for page in pages():
        if page != GLOSSARY:
            text = prose(page.read_text(encoding="utf-8"))
            found += [f"{page.relative_to(ROOT)}: {one}" for one in text_faults(text, refused)]
    for path in sorted((ROOT / "edge_arseg").rglob("*.py")):
        for line, text in strings(path):
            found += [f"{path.relative_to(ROOT)}:{line}: {one}" for one in text_faults(text, {})]
    return found


def main() -> int:
    found = faults()
    print("\n".join(found) if found else "words: nothing refused")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
