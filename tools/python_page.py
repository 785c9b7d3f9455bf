#!/usr/bin/env python3
"""Write docs/python.md from the docstrings of ``edge_arseg.__all__``; nothing is imported but the list.

usage: python tools/python_page.py    (part of make tables)
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import edge_arseg

PAGE = ROOT / "docs" / "python.md"
GROUPS = {
    "Segmenting": ("Segmenter", "run_to_sinks", "Run", "LiveFigures", "segment", "open_pipeline", "Pipeline", "Mode"),
    "Sources and results": (
        "open_video",
        "LiveOptions",
        "VideoReader",
        "Frame",
        "VECTOR_DTYPE",
        "SegmentedFrame",
        "MotionField",
        "Branch",
    ),
    "Sinks": ("open_sink", "OverlayStyle", "Sink"),
    "Keyframes": ("Policy", "FrameStatistics", "KeyframePolicy", "AdaptivePolicy", "KeyAfterDrops"),
    "Bundles": ("read_bundle", "Bundle", "verify_bundle", "Verification"),
    "Engines": ("EngineOptions", "Engine", "TensorSpec"),
    "Export, quantize, compile": (
        "checkpoint_from_path",
        "bundle_from_checkpoint",
        "bundle_from_network",
        "ExportSettings",
        "Backbone",
        "quantize_bundle",
        "QuantizeOptions",
        "compile_bundle",
        "CompileOptions",
    ),
}
HEAD = """\
# Python

Written by `make tables` from the docstrings of `edge_arseg.__all__`: change it there. These names are what is public;
modules below `edge_arseg` may change from version to version, but for `edge_arseg.testing`
([engines](engines.md#an-engine-of-your-own), [backbones](backbones.md#testing-it)). A name is imported when it is asked
for. [examples](../examples/README.md) has a program for each extension.

"""
SECTIONS = ("Args", "Returns", "Yields", "Raises", "Attributes")
OWN = {"__init__"}
"""Private methods that are shown."""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n\n")
        parts += [entry(name) for name in names]
    parts.append("## Errors\n\n" + markdown(ast.get_docstring(tree_of("errors"))) + "\n")
    return "".join(parts)


def code(node: ast.AST) -> str:
    """Return Python for ``node``, alike under every Python: before 3.11, ``lambda`` without arguments had a space."""
    return ast.unparse(node).replace("lambda :", "lambda:")


def file_of(module: str) -> Path:
    path = ROOT / "edge_arseg" / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def tree_of(module: str) -> ast.Module:
    return ast.parse(file_of(module).read_text(encoding="utf-8"))


def entry(name: str) -> str:
    text_of_module = file_of(edge_arseg._HOMES[name]).read_text(encoding="utf-8")
    body = ast.parse(text_of_module).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return f"### `{name}`\n\n" + described(signature(node), node)
        if isinstance(node, ast.ClassDef) and node.name == name:
            return f"### `{name}`\n\n" + "".join(class_parts(node))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            assert isinstance(following, ast.Expr)
            assert isinstance(following.value, ast.Constant)
            value = ast.get_source_segment(text_of_module, node.value or node)
            text = markdown(str(following.value.value)).strip()
            return f"### `{name}`\n\n```python\n{name} = {value}\n```\n\n{text}\n\n"
    raise SystemExit(f"{name} is not defined in edge_arseg.{edge_arseg._HOMES[name]}")


def class_parts(node: ast.ClassDef) -> Iterator[str]:
    bases = [code(base) for base in node.bases]
    values = [code(part) for part in node.body if isinstance(part, (ast.AnnAssign, ast.Assign))]
    is_data = any("dataclass" in code(decorator) for decorator in node.decorator_list) or "Enum" in bases
    head = f"class {node.name}" + (f"({', '.join(bases)})" if bases else "")
    lines = [head, *([f"    {value}" for value in values] if is_data else [])]
    yield described("\n".join(lines), node)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and (part.name in OWN or not part.name.startswith("_")):
            if ast.get_docstring(part) is None:
                continue
            marks = [code(decorator) for decorator in part.decorator_list]
            if any(mark.endswith(".setter") for mark in marks):
                continue
            yield described(signature(part, owner=node.name, is_property="property" in marks), part)


def signature(node: ast.FunctionDef, *, owner: str = "", is_property: bool = False) -> str:
    """Return how it is called, on one line or with an argument per line."""
    returns = "" if node.returns is None or node.name == "__init__" else f" -> {code(node.returns)}"
    name = owner if node.name == "__init__" else f"{owner}.{node.name}" if owner else node.name
    if is_property:
        return f"{name}: {code(node.returns)}" if node.returns else name
    arguments = ast.parse(ast.unparse(node)).body[0].args  # type: ignore[attr-defined]
    if owner:
        arguments.args = arguments.args[1:]
    parts = [spaced(part) for part in split_at(code(arguments), ",")] if code(arguments) else []
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) <= 100:
        return line
    inside = ",\n    ".join(parts)
    return f"{name}(\n    {inside},\n){returns}"


def spaced(argument: str) -> str:
    """Put spaces around the ``=`` of an argument with a type."""
    left, *right = split_at(argument, "=")
    return f"{left} = {'='.join(right)}" if right and ":" in left else argument


def split_at(text: str, mark: str) -> list[str]:
    """Split at the marks that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == mark and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]


def described(code: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    return f"```python\n{code}\n```\n\n{markdown(ast.get_docstring(node))}\n\n"


def markdown(doc: str | None) -> str:
    """Turn a docstring into Markdown: sections to lists, indented blocks to code."""
    out: list[str] = []
    for block in re.split(r"\n\n+", doc or ""):
        first, _, rest = block.partition("\n")
        if first.rstrip(":") in SECTIONS and first.endswith(":"):
            out.append(f"**{first.rstrip(':')}**\n\n" + items(rest, named=first not in ("Returns:", "Yields:")))
        elif first == "::":
            continue
        elif first.startswith("    ") and out and out[-1].startswith("```"):
            out[-1] = out[-1].removesuffix("\n```") + "\n\n" + dedented(block) + "\n```"
        elif first.startswith("    "):
            kind = "text" if "──" in block else "python"
            out.append(f"```{kind}\n{dedented(block)}\n```")
        elif first.startswith("===="):
            out.append(table(block))
        else:
            out.append(plain(block))
    return "\n\n".join(out)


def items(text: str, *, named: bool) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith("        "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    if not named:
        return plain(" ".join(lines))
    pairs = [line.partition(": ") for line in lines]
    return "\n".join(f"- {', '.join(f'`{n}`' for n in name.split(', '))}: {plain(says)}" for name, _, says in pairs)


def table(block: str) -> str:
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in block.split("\n") if not line.startswith("===")]
    return "| | |\n|---|---|\n" + "\n".join("| " + " | ".join(plain(cell) for cell in row) + " |" for row in rows)


def dedented(block: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in block.split("\n"))


def plain(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
