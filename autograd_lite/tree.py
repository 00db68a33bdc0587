"""Nested dicts, lists, tuples, dataclasses and layers of arrays, taken apart and built again.

Knows containers. Does not know tensors: whatever is not a container is a leaf. Imports errors
alone.
"""

import copy
import dataclasses
import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.errors import DomainError, ShapeError

__all__ = ["builder_of", "flatten", "flatten_like", "parts_of", "unflatten"]

Rebuild = Callable[[Iterator[Any], bool], Any]

_FIXED = (str, bytes, bool, type(None), enum.Enum, type)


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of ``tree`` from left to right, and what ``unflatten`` needs to build its form.

    Containers are dict, list, tuple (named tuples too), dataclasses that compare by value, and
    objects (layers) with ``tree_parts()``, which gives a dict of parts, and
    ``tree_rebuild(parts)``. Of a dataclass the fields that hold a string, a bool, None, an enum, a
    class or a function are no leaves, nor those declared ``field(metadata={"static": True})``.

    >>> leaves, form = flatten({"a": 1, "b": [2, (3,)]})
    >>> leaves, unflatten(form, [10, 20, 30])
    ([1, 2, 3], {'a': 10, 'b': [20, (30,)]})
    """
    leaves: list[Any] = []
    return leaves, _visit(tree, leaves, ())


def unflatten(form: Rebuild, leaves: Sequence[Any], *, objects: bool = True) -> Any:
    """A tree of the form that ``flatten`` saw, with these leaves.

    ``objects=False`` gives a dict of parts where a layer stood (for its gradients).
    """
    return form(iter(leaves), objects)


def parts_of(tree: Any) -> dict[Any, Any] | None:
    """What is in a container, by key, index or field; None of what is no container, or a layer.

    >>> parts_of({"a": 1}), parts_of([2, 3]), parts_of(4.0)
    ({'a': 1}, {0: 2, 1: 3}, None)
    """
    if isinstance(tree, dict):
        return dict(tree)
    if isinstance(tree, (list, tuple)):
        return dict(enumerate(tree))
    if _is_record(tree):
        fields = [one for one in dataclasses.fields(tree) if not one.metadata.get("static")]
        found = {one.name: getattr(tree, one.name) for one in fields if hasattr(tree, one.name)}
        return {name: part for name, part in found.items() if not _is_fixed(part)}
    return None


def builder_of(tree: Any) -> Callable[[Sequence[Any]], Any]:
    """What makes a container like ``tree`` of the parts that ``parts_of`` names, and holds none.

    Dataclasses and classes made from dict are copied; their ``__init__`` does not run again.

    >>> builder_of((1, [2]))([3, 4])
    (3, 4)
    """
    make: Any = type(tree)
    if isinstance(tree, (list, tuple)):
        return (lambda parts: make(*parts)) if hasattr(tree, "_fields") else make
    names = list(parts_of(tree) or ())
    if make is dict:
        return lambda parts: dict(zip(names, parts, strict=True))
    blank = copy.copy(tree)

    def put(made: Any, parts: Sequence[Any]) -> Any:
        for name, part in zip(names, parts, strict=True):
            if isinstance(made, dict):
                made[name] = part
            else:
                object.__setattr__(made, name, part)  # a frozen one too
        return made

    put(blank, [None] * len(names))
    return lambda parts: put(copy.copy(blank), parts)


def _is_record(tree: Any) -> bool:
    """Whether it is a dataclass whose fields are all that it is: it compares by value."""
    held = getattr(type(tree), "__dataclass_params__", None)
    return held is not None and held.eq and not hasattr(tree, "tree_parts")


def _is_fixed(part: Any) -> bool:
    return isinstance(part, _FIXED) or (callable(part) and not hasattr(part, "tree_parts"))


def flatten_like(pattern: Any, tree: Any) -> list[Any]:
    """The leaves of ``tree`` in the order of those of ``pattern``, whose form it must have.

    Dicts are matched by key, whatever their order; a list may stand for a tuple. What stands in
    the place of a leaf is taken as it is. Raises ``ShapeError`` where the forms differ.

    >>> flatten_like({"a": 1, "b": (2,)}, {"b": [20], "a": [10]})
    [[10], 20]
    """
    parts = parts_of(pattern)
    if parts is not None:
        others = parts_of(tree) if _are_alike(pattern, tree) else None
        if others is None or others.keys() != parts.keys():
            raise _unlike(pattern, tree)
        return [leaf for key in parts for leaf in flatten_like(parts[key], others[key])]
    if hasattr(pattern, "tree_parts"):
        inner = tree.tree_parts() if hasattr(tree, "tree_parts") else tree
        return flatten_like(pattern.tree_parts(), inner)
    return [tree]


def _are_alike(pattern: Any, tree: Any) -> bool:
    """Whether one container may stand for the other: a list for a tuple, say."""
    for kind in (dict, (list, tuple)):
        if isinstance(pattern, kind):
            return isinstance(tree, kind)
    return type(tree) is type(pattern)


def _unlike(pattern: Any, tree: Any) -> ShapeError:
    return ShapeError(
        f"{_form(tree)} where {_form(pattern)} is needed",
        mend="give one entry for each array, in containers of the same form",
    )


def _form(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict of {list(tree)}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"a {type(tree).__name__}"


def _visit(tree: Any, leaves: list[Any], above: tuple[int, ...]) -> Rebuild:
    if id(tree) in above:
        raise DomainError("a container holds itself", mend="break the cycle in the arguments")
    above = (*above, id(tree))
    inside = parts_of(tree)
    if inside is not None:
        parts, build = [_visit(one, leaves, above) for one in inside.values()], builder_of(tree)
        return lambda it, obj: build([part(it, obj) for part in parts])
    if hasattr(tree, "tree_parts"):
        inner = _visit(tree.tree_parts(), leaves, above)
        return lambda it, obj: tree.tree_rebuild(inner(it, obj)) if obj else inner(it, obj)
    leaves.append(tree)
    return lambda it, obj: next(it)
