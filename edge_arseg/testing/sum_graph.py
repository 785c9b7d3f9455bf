"""The graph of the engine tests, as bytes: written here once so that the device half needs no onnx to test engines.

Made with ``onnx.parser``::

    agraph (float[2,3] image, float[2,3] other) => (float[2,3] double, float[2,3] total)
    { double = Add(image, image)  total = Add(image, other) }
"""

from pathlib import Path

_MESSAGE = 2


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | _MESSAGE]) + bytes([len(payload)]) + payload


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _value(name: str) -> bytes:
    shape = _field(1, b"\x08\x02") + _field(1, b"\x08\x03")
    tensor = b"\x08\x01" + _field(2, shape)
    return _text(1, name) + _field(2, _field(1, tensor))


def _node(first: str, second: str, output: str) -> bytes:
    return _text(1, first) + _text(1, second) + _text(2, output) + _text(4, "Add")


def write_sum_graph(path: Path) -> Path:
    """Write the graph as an ONNX file and return its path."""
    graph = (
        _field(1, _node("image", "image", "double"))
        + _field(1, _node("image", "other", "total"))
        + _text(2, "sum")
        + _field(11, _value("image"))
        + _field(11, _value("other"))
        + _field(12, _value("double"))
        + _field(12, _value("total"))
    )
    # the graph is longer than 127 bytes, so its length takes two
    length = bytes([len(graph) & 0x7F | 0x80, len(graph) >> 7])
    path.write_bytes(b"\x08\x08" + bytes([7 << 3 | _MESSAGE]) + length + graph + _field(8, b"\x10\x0d"))
    return path
