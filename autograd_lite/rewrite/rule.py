"""The combined local rule of a region: a form, and what its names stand for.

Imports graph, shapes, regions and forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.graph import Graph, Node
from autograd_lite.modes import using
from autograd_lite.ops.shaping import broadcast_to, reshape
from autograd_lite.rewrite.costs import names_in
from autograd_lite.rewrite.field import Atom, bare
from autograd_lite.rewrite.forms import Form
from autograd_lite.rewrite.regions import Region
from autograd_lite.shapes import Shape

__all__ = ["LocalRule"]


@dataclass(frozen=True)
class LocalRule:
    """A derivative in short form, confirmed on numbers.

    ``text`` says it, with ``G`` for the arriving gradient and ``y`` for the region's output.
    ``stable`` is False where the form loses range that the unsimplified derivative keeps (y(1−y)
    is 0 at 40): good to read, not to compute with. ``inputs`` are the nodes that the region reads,
    in the order in which ``compute`` takes their arrays, ``inside`` its own nodes. ``kept`` are
    atoms of nodes inside the region, by their place there.
    """

    text: str
    form: Form
    region: Region
    stable: bool
    atoms: tuple[Atom, ...]  # of the inputs, of the cotangent, of the output
    inputs: tuple[Node, ...] = ()
    named: tuple[tuple[Atom, Form], ...] = ()  # short names for formulas: σ(x), softmax(x)
    kept: tuple[tuple[Atom, int], ...] = ()
    inside: tuple[Node, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether it reads nothing but the arriving gradient."""
        return all(name.gradient for name in names_in(self.form))

    @property
    def pointwise(self) -> bool:
        """Whether each element of the output depends on one element of the input alone."""
        return all(node.op.kind == "pointwise" for node in self.region.inside)

    def compute(
        self, inputs: Sequence[Any], cotangent: Any, output: Any, inside: Sequence[Any] = ()
    ) -> Any:
        """The gradient by this rule; of arrays, or of tensors, which records it as a graph.

        ``inside`` has the values of the nodes inside the region, for a rule that keeps any.
        """
        values = dict(zip(self.atoms, (*inputs, cotangent, output), strict=True))
        values.update({atom: inside[k] for atom, k in self.kept})
        for atom, form in self.named:
            values[atom] = form.compute(values)
        return _in_shape(self.form.compute(values), self.region.inputs[self.region.at].shape)

    def both(self, arrays: Sequence[Any], cotangent: Any) -> tuple[Any, Any]:
        """The gradient by this rule and by the engine's rules, on other arrays."""
        found = self.region.values(arrays, cotangent)
        inside = [found.get(node) for node in self.region.inside]
        with np.errstate(all="ignore"):
            short = self.compute(arrays, cotangent, found[self.region.output], inside)
        return short, found[self.region.derivative]

    def graph(self) -> Graph:
        """The rule as a graph of the region's inputs, its output and the cotangent."""
        handles = [node.outputs[0] for node in (*self.region.inputs, self.region.cotangent)]
        with using(tracing=True):
            return Graph.of(self.compute(handles[:-1], handles[-1], self.region.output.outputs[0]))


def _in_shape(value: Any, shape: Shape) -> Any:
    found = value.shape if hasattr(value, "shape") else ()
    if found == shape:
        return value
    return reshape(value, shape) if bare(found) == bare(shape) else broadcast_to(value, shape)
