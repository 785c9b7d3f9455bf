"""Damage to files: bits, cuts, swaps, insertions; and entries of JSON and TOML that are well formed and wrong."""

import json
import re

import numpy as np

_VALUES = ["-1", "0", "1e999", "99999999999999999999", "nan", "true", '""', "[]", "{}", '"\\u0000"', "null", "0.5"]
_SPECIAL = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\1",
    b"\xe9\xff",
    b"%s%n",
    b"\n",
]


def mutated(data: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """Return ``data`` with one to four damages.

    Args:
        data: of the whole file.
        rng: decides everything.
        other: another file of the same kind; pieces of it are put in.
    """
    changed = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3, 4]))):
        _DAMAGES[rng.integers(len(_DAMAGES))](changed, rng, other)
    return bytes(changed)


def mutated_text(data: bytes, rng: np.random.Generator) -> bytes:
    """Return lines of a JSON or TOML file with some of them lost, doubled, moved, or with other values."""
    lines = data.decode(errors="replace").splitlines(keepends=True)
    for _ in range(int(rng.choice([1, 1, 2, 5]))):
        if not lines:
            break
        at = int(rng.integers(len(lines)))
        kind = rng.integers(6)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[rng.integers(len(lines))])
        elif kind == 2:
            other = int(rng.integers(len(lines)))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = lines[at][: rng.integers(len(lines[at]) + 1)]
        else:
            values = list(re.finditer(r"-?\d+(?:\.\d+)?|\"[^\"]*\"|true|false|null", lines[at]))
            if values:
                found = values[rng.integers(len(values))]
                lines[at] = lines[at][: found.start()] + str(rng.choice(_VALUES)) + lines[at][found.end() :]
    return "".join(lines).encode()


def mutated_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a JSON file that is well formed, with some of its entries replaced, lost or deep."""
    content = json.loads(data)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        _damage_entry(content, rng)
    return json.dumps(content).encode()


def deep(rng: np.random.Generator, start: bytes = b"") -> bytes:
    """Return lists in lists, far deeper than any reader goes."""
    return start + bytes(rng.choice([b"[", b'{"a":'])) * int(rng.integers(900, 100_000))


def _damage_entry(content: object, rng: np.random.Generator) -> None:
    while True:
        if isinstance(content, dict) and content:
            key = list(content)[rng.integers(len(content))]
        elif isinstance(content, list) and content:
            key = int(rng.integers(len(content)))
        else:
            return
        inner = content[key]
        if isinstance(inner, (dict, list)) and inner and rng.random() < 0.85:
            content = inner
            continue
        if rng.random() < 0.2:
            del content[key]
        elif isinstance(inner, (int, float)) and not isinstance(inner, bool) and rng.random() < 0.6:
            content[key] = [inner + 1, -inner, 0, inner * 1000, 2**31, 2**63, 0.5][rng.integers(7)]
        elif isinstance(inner, str) and rng.random() < 0.6:
            content[key] = ["", "..", "/etc/passwd", "../" * 9, inner + "x", inner[:-1], "\0", "x" * 5000][
                rng.integers(8)
            ]
        else:
            content[key] = [None, True, -1, "", "x", [], {}, [1], {"a": 1}, 1e308][rng.integers(10)]
        return


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Return where: headers and tables stand at the beginning and at the end."""
    near = min(len(data), 600)
    where = rng.random()
    if where < 0.35:
        return int(rng.integers(near + 1))
    if where < 0.6:
        return len(data) - int(rng.integers(near + 1))
    return int(rng.integers(len(data) + 1))


def _length(data: bytearray, rng: np.random.Generator) -> int:
    return int(min(len(data), 2 ** rng.uniform(0, 12)))


def _bits(data: bytearray, rng: np.random.Generator, _other: bytes) -> None:
    for _ in range(int(rng.choice([1, 2, 8, 64]))):
        at = _place(data, rng)
        if at < len(data):
            data[at] ^= 1 << int(rng.integers(8))


def _cut(data: bytearray, rng: np.random.Generator, _other: bytes) -> None:
    del data[_place(data, rng) :]


def _loss(data: bytearray, rng: np.random.Generator, _other: bytes) -> None:
    at = _place(data, rng)
    del data[at : at + _length(data, rng)]


def _swap(data: bytearray, rng: np.random.Generator, _other: bytes) -> None:
    first, second = sorted((_place(data, rng), _place(data, rng)))
    length = min(_length(data, rng), second - first, len(data) - second)
    data[first : first + length], data[second : second + length] = (
        data[second : second + length],
        data[first : first + length],
    )


def _insertion(data: bytearray, rng: np.random.Generator, other: bytes) -> None:
    at, length = _place(data, rng), _length(data, rng)
    kind = rng.integers(3)
    if kind == 0:
        piece = rng.bytes(length)
    else:
        source = other if kind == 1 and other else bytes(data)
        start = int(rng.integers(len(source) + 1))
        piece = source[start : start + length]
    data[at:at] = piece


def _overwriting(data: bytearray, rng: np.random.Generator, _other: bytes) -> None:
    at = _place(data, rng)
    piece = _SPECIAL[rng.integers(len(_SPECIAL))] * int(rng.choice([1, 1, 1, 4, 64]))
    data[at : at + len(piece)] = piece


_DAMAGES = (_bits, _bits, _bits, _cut, _loss, _swap, _insertion, _overwriting)
