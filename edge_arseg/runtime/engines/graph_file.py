"""What an ONNX file says it takes and makes, read without onnx or an engine library.

Just enough of the format's protobuf encoding (https://protobuf.dev/programming-guides/encoding, and ``onnx.proto`` of
ONNX): a message is a series of fields, each a number with a kind, then an integer or a length and bytes.
"""

from collections.abc import Iterator
from pathlib import Path

from edge_arseg.errors import BuildError
from edge_arseg.spec.tensor import TensorSpec

Specs = dict[str, TensorSpec]

_GRAPH = 7  # of ModelProto
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12  # of GraphProto
_NAME, _TYPE = 1, 2  # of ValueInfoProto
_TENSOR_NAME = 8  # of TensorProto
_TENSOR = 1  # of TypeProto
_ELEMENT, _SHAPE = 1, 2  # of TypeProto.Tensor
_DIMENSION, _VALUE = 1, 1  # of TensorShapeProto and of its Dimension
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 10: "float16"}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def specs_from_graph_file(path: Path) -> tuple[Specs, Specs]:
    """Return inputs and outputs of a graph, by name.

    Raises:
        BuildError: the file cannot be read, is no ONNX graph, or has shapes that are not static.
    """
    try:
        graph = _message(memoryview(path.read_bytes()), _GRAPH)
        return _specs(graph)
    except OSError as error:
        raise BuildError(f"{path}: cannot be read ({error.strerror}); check the bundle") from error
    except (ValueError, IndexError, KeyError) as error:
        raise BuildError(f"{path}: not an ONNX graph with static shapes ({error}); export the bundle again") from error


def _specs(graph: memoryview) -> tuple[Specs, Specs]:
    found: dict[int, Specs] = {_INPUT: {}, _OUTPUT: {}}
    constants = set()
    for number, part in _fields(graph):
        if number == _INITIALIZER:
            constants.add(_text(part, _TENSOR_NAME))
        elif number in found:
            found[number][_text(part, _NAME)] = _spec(_message(part, _TYPE, _TENSOR))
    if not found[_OUTPUT]:
        raise ValueError("no outputs in it")
    return {name: spec for name, spec in found[_INPUT].items() if name not in constants}, found[_OUTPUT]


def _spec(tensor: memoryview) -> TensorSpec:
    element = next((part for number, part in _fields(tensor) if number == _ELEMENT), None)
    if not isinstance(element, int) or element not in _DTYPES:
        raise ValueError(f"a tensor of type {element if isinstance(element, int) else 'unknown'}")
    shape = []
    for number, dimension in _fields(_message(tensor, _SHAPE)):
        if number == _DIMENSION and isinstance(dimension, memoryview):
            shape.append(next((part for field, part in _fields(dimension) if field == _VALUE), None))
    if any(not isinstance(side, int) for side in shape):
        raise ValueError("a shape that is not static")
    return TensorSpec(_DTYPES[element], tuple(shape))  # type: ignore[arg-type]


def _message(part: memoryview | int, *numbers: int) -> memoryview:
    """Go down through nested messages."""
    for number in numbers:
        part = next((inner for field, inner in _fields(part) if field == number), 0)
    if not isinstance(part, memoryview):
        raise ValueError("a part is missing")
    return part


def _text(part: memoryview | int, number: int) -> str:
    return bytes(_message(part, number)).decode()


def _fields(data: memoryview | int) -> Iterator[tuple[int, memoryview | int]]:
    """Number and content of each field of a message: an integer, or bytes."""
    if not isinstance(data, memoryview):
        raise ValueError("a number where a message is expected")
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + length > len(data):
            raise ValueError("cut off")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number that does not end")
