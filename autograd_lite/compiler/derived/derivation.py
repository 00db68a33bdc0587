"""``derive``: the gradient of a function or a layer as a class that a person could have written.

Puts tracing, writing and sizes together, runs what came out against the engine, and says what it
found. Imports its siblings, errors and derivatives.
"""

import ast
import copy
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.checking import FAR, Checker, Reach, reach
from autograd_lite.compiler.derived.classes import class_text
from autograd_lite.compiler.derived.explanation import Explanation, Line, explained
from autograd_lite.compiler.derived.general import General, defined, generalised, held
from autograd_lite.compiler.derived.handmade import differentiable
from autograd_lite.compiler.derived.jax_style import function_name, jax_text
from autograd_lite.compiler.derived.naming import assigned_names, usable
from autograd_lite.compiler.derived.scribe import tidied
from autograd_lite.compiler.derived.torch_style import torch_text
from autograd_lite.compiler.derived.tracing import (
    Traced,
    argument_names,
    as_differentiated,
    traced,
)
from autograd_lite.compiler.derived.written import Written, write
from autograd_lite.errors import DeriveError, require
from autograd_lite.tensors import plain

__all__ = ["Derivation", "derive"]


@dataclass(frozen=True)
class Derivation:
    """A derived class: its ``source``, its ``name``, and what it was derived of.

    ``batch`` says whether any number of samples will do; ``print`` shows the source, which is in
    the style of a ``backend``. ``steps`` and ``latex`` say how the gradient was found, as
    ``ag.explain`` does.
    """

    name: str
    source: str
    written: Written
    trace: Traced
    wanted: tuple[int, ...]
    batch: bool
    backend: str = "numpy"

    @cached_property
    def explanation(self) -> Explanation:
        """The chain rule node by node, and its simplification."""
        leaves = [*(self.trace.inputs[i] for i in self.wanted), *self.trace.parameters]
        nodes = self.trace.graph.nodes
        wishes = assigned_names(nodes, self.trace.caller)
        unit = [self.trace.inputs[k] for k in self.trace.unit]
        return explained(self.trace.graph, leaves, wishes, unit)

    @property
    def steps(self) -> tuple[Line, ...]:
        """The lines of the explanation."""
        return self.explanation.steps

    @property
    def latex(self) -> str:
        """The explanation as a block of LaTeX."""
        return self.explanation.latex

    def __str__(self) -> str:
        return self.source

    @cached_property
    def type(self) -> type:
        """What the source defines: a class, of ``backend="jax"`` a function."""
        if self.backend != "numpy":
            require(self.backend, "peers")
        name = function_name(self.name) if self.backend == "jax" else self.name
        return defined(self.source, name)  # type: ignore[no-any-return]  # what the text defines

    def layer(self) -> Any:
        """An instance with the parameters and constants that the function had.

        Raises:
            DeriveError: the source is not a class of NumPy.
        """
        if self.backend != "numpy":
            raise DeriveError(
                f"in the style of {self.backend} there are no layers",
                mend="derived.type.apply(x, W, b) of torch, derived.type(x, W, b) of jax",
            )
        return self.type(*held(self.written))


def derive(
    f: Callable[..., Any], *examples: Any, argnums: int | Sequence[int] | None = None,
    name: str | None = None, backend: str = "numpy", rows_sum_to_one: Sequence[str] = (),
) -> Derivation:  # fmt: skip
    """The gradient of a function or a layer as a NumPy class with ``forward`` and ``backward``.

    ``f`` may be written for tensors or be plain NumPy: a function that changes arrays, a layer with
    a method ``forward`` (or a class of them), a bound method. It runs on a copy of such a layer,
    whose arrays are its parameters.

    ``examples`` are arguments of ``f``, of which shapes and dtypes matter: the class takes any
    number of samples along the first axis, wherever ``f`` does. ``f`` returns a tensor or several,
    whose gradients ``backward`` takes; parameters (of a layer, or tensors that ``f`` closes over)
    become arguments of the constructor, their gradients the attributes ``dW``, ``db``, …; what
    ``f`` draws at random becomes an argument of ``forward``. ``backward`` returns the gradients of
    the arguments of floating numbers, or of those that ``argnums`` names: one array, or a tuple.

    A layer stays as it is; a function is called several times, so that what it changes beside its
    result (the statistics of a layer that it closes over) changes as often.

    ``rows_sum_to_one`` names arguments of which that may be taken for granted along the last axis:
    targets that are one-hot, or probabilities. The class says so, and does not check it.

    ``backend`` is the style of the source: ``"torch"`` gives a ``torch.autograd.Function``,
    ``"jax"`` a function with ``jax.custom_vjp``; both take parameters as further arguments.

    The gradient is written as short as exact algebra makes it, and held against the engine. Where
    a short form loses digits that the unsimplified one keeps, the class says in what range it has
    them.

    >>> import autograd_lite as ag
    >>> sigmoid = ag.derive(lambda x: 1 / (1 + ag.exp(-x)), [[1.0, 2.0]], name="Sigmoid")
    >>> print(sigmoid.source[sigmoid.source.index("    def backward") :])
        def backward(self, dout):
            # through y = 1 / (1 + np.exp(-x))
            return dout * self.y * (1 - self.y)
    <BLANKLINE>

    Raises:
        DeriveError: no examples, a result that is no tensor, an operator without NumPy code.
        DetachedError: ``f`` turns a value into a Python number, say to branch on it.
    """
    if not examples:
        raise DeriveError(
            "no examples are given",
            mend="ag.derive(f, x): arrays of the shapes and dtypes that the function takes",
        )
    style = _STYLES.get(backend)
    if style is None:
        raise DeriveError(f"there is no style {backend!r}", mend=f"one of {', '.join(_STYLES)}")
    given = [plain(x) for x in examples]
    f = differentiable(f, given)
    names = argument_names(f, len(examples))
    arrays = as_differentiated(f, given, names)
    wanted = _wanted(argnums, arrays)
    title = _title(f, name)
    if not inspect.isroutine(f):
        f = copy.deepcopy(f)  # it is called several times: statistics, generators
    unit = _unit(rows_sum_to_one, names, arrays)
    trace = replace(traced(f, arrays, names), unit=unit)
    found = generalised(f, arrays, names, wanted, unit)
    written = found.written if found else write(trace, wanted)
    source = class_text(title, [""], written)
    first = Derivation(title, source, written, trace, tuple(wanted), found is not None)
    Checker(f, names, first.layer, written.parameters, wanted).hold(arrays)
    doc = [
        *_summary(written),
        *_taken(rows_sum_to_one),
        *_range(written),
        *_fixed(names, arrays, found),
    ]
    return replace(first, source=style(title, doc, written), backend=backend)


_TITLE = 40  # characters of the name of a class
_FORMULA = 60  # characters of one in the first line of the documentation
_STYLES = {"numpy": class_text, "torch": torch_text, "jax": jax_text}


def _summary(written: Written) -> list[str]:
    """What the class computes, where that is short."""
    if len(written.outputs) > 1:
        return [f"{', '.join(written.outputs)} of {', '.join(written.inputs)}, and the gradients."]
    made = {s.target.removeprefix("self."): s.expression for s in written.passes.forward}
    made = {name: text for name, text in made.items() if name != text}  # inputs that are kept
    text = made.pop("").replace("self.", "")
    text = made.pop(text, text)
    texts = [tidied(text.replace("self.", ""))]
    formula = ast.parse(text.replace("self.", ""), mode="eval")
    while names := {n.id for n in ast.walk(formula) if isinstance(n, ast.Name)} & made.keys():
        formula = _Inlined({name: made[name] for name in names}).visit(formula)
    texts.append(tidied(ast.unparse(formula)))
    shown = next((text for text in reversed(texts) if len(text) < _FORMULA), None)
    return [f"{written.outputs[0]} = {shown} and its gradient." if shown else
            f"A function of {', '.join(written.inputs)} and its gradient."]  # fmt: skip


class _Inlined(ast.NodeTransformer):
    """A formula with the expressions of names in it."""

    def __init__(self, expressions: Mapping[str, str]) -> None:
        self.expressions = expressions

    def visit_Name(self, node: ast.Name) -> Any:
        """The expression of a name."""
        text = self.expressions.get(node.id)
        return node if text is None else ast.parse(text.replace("self.", ""), mode="eval").body


def _range(written: Written) -> list[str]:
    """Where short forms keep six digits, of which the unsimplified derivative keeps more."""
    dtypes = {one.dtype for one in written.trace.outputs}
    found = [sentence for dtype in dtypes for name, rule in written.short.items()
             for sentence in _reaching(name, reach(rule, dtype), written, dtype)]  # fmt: skip
    return ["", *found] if found else []


def _reaching(name: str, found: Reach, written: Written, dtype: Any) -> list[str]:
    if found.whole:
        return []
    low = "" if found.low <= -FAR else f"from {found.low:.3g} "
    high = "upwards" if found.high >= FAR else f"to {found.high:.3g}"
    what = f"the gradient of {name}" if name in (*written.inputs, *written.held) else f"d{name}"
    return [f"In {dtype} {what} has six digits for {name} {low}{high}."]


def _unit(asked: Sequence[str], names: Sequence[str], examples: Sequence[Any]) -> tuple[int, ...]:
    """The places of the arguments whose rows sum to 1, which the examples show."""
    for name in asked:
        if name not in names:
            raise DeriveError(f"there is no argument {name!r}", mend=f"one of {', '.join(names)}")
        rows = examples[names.index(name)]
        if not rows.ndim or not np.allclose(np.sum(rows, axis=-1), 1):
            raise DeriveError(
                f"the rows of the example {name} do not sum to 1",
                mend="give such targets, or leave out rows_sum_to_one",
            )
    return tuple(names.index(name) for name in asked)


def _taken(unit: Sequence[str]) -> list[str]:
    """What is taken for granted, as the class says it."""
    return ["", f"Taken for granted: the rows of {' and of '.join(unit)} sum to 1."] if unit else []


def _fixed(names: Sequence[str], examples: Sequence[Any], found: General | None) -> list[str]:
    """For which shapes it is, where the function takes others too."""
    if found is None:
        shapes = ", ".join(str(np.shape(x)) for x in examples)
        return ["", f"For arguments of the shapes {shapes} alone."]
    if not found.limited:
        return []
    sizes = {place: letter for group, letter in zip(found.free.groups, "nmkpqr", strict=False)
             for place in group}  # fmt: skip
    shown = []
    for i, (name, x) in enumerate(zip(names, examples, strict=True)):
        axes = [sizes.get((i, k), str(n)) for k, n in enumerate(np.shape(x))]
        if axes:
            shown.append(f"{name} ({', '.join(axes)}{',' * (len(axes) == 1)})")
    return ["", f"For arguments of the shapes {', '.join(shown)}."]


def _wanted(argnums: int | Sequence[int] | None, examples: Sequence[Any]) -> list[int]:
    """The places of the arguments whose gradients are returned."""
    count = len(examples)
    floats = [i for i, x in enumerate(examples) if x.dtype.kind == "f"]
    if argnums is None:
        return floats
    asked = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in asked:
        if not -count <= i < count:
            raise DeriveError(f"there is no argument {i}", mend=f"{count} examples are given")
        if i % count not in floats:
            raise DeriveError(
                f"argument {i} is of {examples[i].dtype}", mend="labels have no gradient"
            )
    return [i % count for i in asked]


def _title(f: Callable[..., Any], name: str | None) -> str:
    """The name of the class: the one that is asked for, or that of the function."""
    if name is not None:
        if not usable(name, _TITLE):
            raise DeriveError(f"{name!r} is no name for a class", mend='a plain word: name="Swish"')
        return name
    known = getattr(f, "__name__", type(f).__name__)
    words = re.findall(r"[A-Za-z0-9]+", known) if known != "<lambda>" else []
    title = "".join(word[:1].upper() + word[1:] for word in words)
    return title if usable(title, _TITLE) else "Layer"
