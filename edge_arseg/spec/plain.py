"""Plain data as dataclasses, without the validation library, whose import takes as long as opening an engine.

Accepts only what is plainly right, and of that only what the library accepts too, as the same value (tested). Whatever
else there is goes to the library, which decides and says what is wrong.
"""

import functools
import re
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class NotPlainError(ValueError):
    """Not plainly right: ask the library."""


@dataclass(frozen=True, slots=True)
class Field:
    """Limits of a value in ``Annotated``, by the library's names for them; the library reads them too."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    pattern: str | None = None

    def checked(self, value: Any) -> Any:
        """Return ``value`` if it is within the limits."""
        if value is None:
            return value
        if (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
            and (self.min_length is None or len(value) >= self.min_length)
            # the library's ``$`` is the very end, Python's stands before a last line break too
            and (self.pattern is None or (re.search(self.pattern, value) is not None and not value.endswith("\n")))
        ):
            return value
        raise NotPlainError(f"{value!r} is outside {self}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Say the same to the library."""
        import pydantic

        limits = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        return handler.generate_schema(Annotated[source, pydantic.Field(**limits)])


@dataclass(frozen=True, slots=True)
class AfterValidator:
    """A function of a value in ``Annotated``: returns it, or raises ``ValueError``; the library calls it too."""

    function: Callable[[Any], Any]

    def checked(self, value: Any) -> Any:
        """Return what the function returns."""
        return self.function(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Say the same to the library."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.function, handler(source))


def faults_from_error(error: Any, whole: str) -> list[str]:
    """Return what the library's ``ValidationError`` says, a line each; ``whole`` names faults of no single field."""
    return [f"{'.'.join(map(str, fault['loc'])) or whole}: {fault['msg']}" for fault in error.errors()]


def value_of(kind: Any, data: Any) -> Any:
    """Return ``data``, as JSON is read, as a value of a type.

    Args:
        kind: a dataclass, or a type that the fields of one have.
        data: dicts, lists, strings, numbers, booleans and ``None``.

    Raises:
        NotPlainError: not plainly right, or a type that is not known here.
    """
    try:
        return _value(kind, data)
    except NotPlainError:
        raise
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise NotPlainError(str(error)) from error


def _value(kind: Any, data: Any) -> Any:
    if kind in (int, str, bool) or kind is type(None):
        return _of_type(kind, data)
    if kind is float:
        return float(data) if type(data) in (int, float) else _refused(data)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        value = _value(parts[0], data)
        for marker in parts[1:]:
            value = marker.checked(value) if isinstance(marker, (Field, AfterValidator)) else _refused(marker)
        return value
    if origin in (Union, types.UnionType):
        (other,) = (part for part in parts if part is not type(None))
        return None if data is None and type(None) in parts else _value(other, data)
    if origin is Literal:
        return data if any(type(data) is type(part) and data == part for part in parts) else _refused(data)
    if origin is dict:
        return {_value(parts[0], key): _value(parts[1], value) for key, value in _of_type(dict, data).items()}
    if origin is tuple:
        items = _of_type(list, data)
        if len(parts) == 2 and parts[1] is Ellipsis:
            return tuple(_value(parts[0], item) for item in items)
        return tuple(_value(part, item) for part, item in zip(parts, items, strict=True))
    if is_dataclass(kind):
        return _dataclass(kind, _of_type(dict, data))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(_of_type(str, data))
    return _refused(kind)


def _dataclass(kind: Any, data: dict[str, Any]) -> Any:
    hints, needed = _hints(kind)
    if not needed <= data.keys() <= hints.keys():
        _refused(list(data))
    return kind(**{name: _value(hints[name], value) for name, value in data.items()})


@functools.cache
def _hints(kind: Any) -> tuple[dict[str, Any], set[str]]:
    hints = get_type_hints(kind, include_extras=True)
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    return {f.name: hints[f.name] for f in fields(kind)}, needed


def _of_type(kind: type[T], data: Any) -> T:
    return data if type(data) is kind else _refused(data)


def _refused(data: Any) -> Any:
    raise NotPlainError(type(data).__name__)
