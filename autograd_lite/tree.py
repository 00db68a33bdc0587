"""Nested dicts, lists, tuples and layers of arrays, taken apart and put together again.

Knows containers. Does not know tensors: whatever is not a container is a leaf. Imports errors
alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.errors import DomainError, ShapeError

__all__ = ["flatten", "flatten_like", "unflatten"]

Rebuild = Callable[[Iterator[Any], bool], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of ``tree`` from left to right, and what ``unflatten`` needs to build its form.

    Containers are dict, list, tuple (named tuples too) and objects (layers) with
    ``tree_parts()``, which gives a dict of parts, and ``tree_rebuild(parts)``.

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


def flatten_like(pattern: Any, tree: Any) -> list[Any]:
    """The leaves of ``tree`` in the order of those of ``pattern``, whose form it must have.

    Dicts are matched by key, whatever their order; a list may stand for a tuple. What stands in
    the place of a leaf is taken as it is. Raises ``ShapeError`` where the forms differ.

    >>> flatten_like({"a": 1, "b": (2,)}, {"b": [20], "a": [10]})
    [[10], 20]
    """
    if isinstance(pattern, dict):
        if not isinstance(tree, dict) or tree.keys() != pattern.keys():
            raise _unlike(pattern, tree)
        return [leaf for key in pattern for leaf in flatten_like(pattern[key], tree[key])]
    if isinstance(pattern, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(pattern):
            raise _unlike(pattern, tree)
        pairs = zip(pattern, tree, strict=True)
        return [leaf for one, other in pairs for leaf in flatten_like(one, other)]
    if hasattr(pattern, "tree_parts"):
        parts = tree.tree_parts() if hasattr(tree, "tree_parts") else tree
        return flatten_like(pattern.tree_parts(), parts)
    return [tree]


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
    make: Any = type(tree)
    if isinstance(tree, dict):
        keys = list(tree)
        parts = [_visit(tree[key], leaves, above) for key in keys]
        return lambda it, obj: make(zip(keys, [part(it, obj) for part in parts], strict=True))
    if isinstance(tree, (list, tuple)):
        parts = [_visit(item, leaves, above) for item in tree]
        if hasattr(tree, "_fields"):
            return lambda it, obj: make(*[part(it, obj) for part in parts])
        return lambda it, obj: make([part(it, obj) for part in parts])
    if hasattr(tree, "tree_parts"):
        inner = _visit(tree.tree_parts(), leaves, above)
        return lambda it, obj: tree.tree_rebuild(inner(it, obj)) if obj else inner(it, obj)
    leaves.append(tree)
    return lambda it, obj: next(it)
