"""Every option that a message names can be typed."""

import ast
import re
from pathlib import Path

import pytest
from support.commands import commands

PACKAGE = Path(__file__).parents[2] / "edge_arseg"
FLAG = re.compile(r"(?<![\w-])(?<!var\()--[a-z][a-z0-9-]*")
STYLES = "edge_arseg/bench/report/plots/"
"""Names of colours in style sheets begin like options."""
OTHERS = {
    "--no-": "click: the second half of a switch, whose name is filled in",
    "--force-reinstall": "pip",
    "--index-url": "pip",
    "--no-deps": "pip",
    "--python": "uv",
    "--no-cache-dir": "pip",
    "--system-site-packages": "venv",
    "--runtime": "docker",
    "--onnx": "trtexec",
    "--saveEngine": "trtexec",
    "--fp16": "trtexec",
    "--int8": "trtexec",
    "--save": "trtexec",  # as far as the pattern reads --saveEngine
    "--object": "llvm",
    "--gc-sections": "ld",
    "--version": "nvcc",
    "--list-gpu-code": "nvcc",
    "--ptxas-options": "nvcc",
    "--parents": "cp",
}
"""Options of other programs that messages and calls name."""


def options_of(command):
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


OPTIONS = {words: options_of(command) for words, command in commands()}
ALL = set().union(*OPTIONS.values())


def literals(source):
    """Yield every text of a module with its line, f-strings with ``X`` for what is filled in; docstrings left out."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docstrings | parts):
            yield node.lineno, node.value


FOUND = [
    (f"{path.relative_to(PACKAGE.parent)}:{line}", text)
    for path in sorted(PACKAGE.rglob("*.py"))
    for line, text in literals(path.read_text())
    if "--" in text
]


def test_every_option_that_a_message_names_exists():
    unknown = {
        (where, flag)
        for where, text in FOUND
        for flag in FLAG.findall(text)
        if flag not in ALL and flag not in OTHERS and flag != "--X" and not where.startswith(STYLES)
    }
    assert unknown == set()


def test_a_command_that_a_message_spells_out_has_the_options_that_stand_behind_it():
    wrong = set()
    for where, text in FOUND:
        for spelled in re.findall(r"edge-arseg ([a-z]+(?: [a-z]+)?(?: [^;`)(,\n]*)?)", text):
            words = spelled.split()
            command = next((OPTIONS[key] for key in (tuple(words[:2]), tuple(words[:1])) if key in OPTIONS), None)
            if command is None:
                continue
            wrong |= {(where, flag) for flag in FLAG.findall(spelled) if flag not in command and flag != "--X"}
    assert wrong == set()


@pytest.mark.parametrize("flag", ["--coded", "--fp32"])
def test_options_that_are_gone_would_be_found(flag):
    assert flag not in ALL | set(OTHERS)
    (found,) = literals(f'raise ValueError(f"{{x}}: use {flag} 0")')
    assert FLAG.findall(found[1]) == [flag]
