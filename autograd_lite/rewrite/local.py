"""The combined local rule of a region of a graph: what a folded layer does to a gradient.

``local_rule`` differentiates the region with the engine's own rules, brings the result into normal
form, tries what becomes shorter in terms of the region's output, and returns the shortest rule
that agrees with the unsimplified derivative on the recorded values and on random ones. Nothing
here knows a layer. Imports graph and its siblings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError
from autograd_lite.graph import Graph, Node
from autograd_lite.rewrite.confirming import agrees, confirmed, keeps_range
from autograd_lite.rewrite.field import Atom, Field, bare, shape_of_ratio
from autograd_lite.rewrite.rational import Overgrown, Ratio, symbol
from autograd_lite.rewrite.reading import Reader
from autograd_lite.rewrite.regions import Region, differentiated, part_of, structure
from autograd_lite.rewrite.rule import LocalRule
from autograd_lite.rewrite.solving import Known, in_terms_of, named, terms_of, within
from autograd_lite.rewrite.writing import written
from autograd_lite.rules import OPS

__all__ = ["local_rule"]

_OPERATIONS = 60  # of a region that is simplified
_TEXT = 48  # characters of a rule that is shown
_NAMES = 3  # that are tried
_TERMS = 24  # of a formula that may still be short
_REMEMBERED = 256  # structures whose rules are kept


def local_rule(
    nodes: Iterable[Node],
    output: Node,
    wanted: Node,
    names: Mapping[Node, str],
    values: Mapping[Node, Any] | None = None,
) -> LocalRule | None:
    """The combined local rule of ``nodes`` on the way from ``output`` back to ``wanted``.

    ``nodes`` are a region whose one result is ``output``; leaves among them, and the nodes that
    they read from outside, are its inputs. ``wanted`` is one of these. ``names`` says how to call
    the inputs; ``values`` gives recorded values, on which the rule is checked besides random ones.
    None: the region is too large, or no short rule was found and confirmed.

    Regions of the same structure share one search.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> y = 1 / (1 + ag.exp(-x))
    >>> local_rule(Graph.of(y), y.node, x.node, {x.node: "x"}).text
    'G × y(1−y)'
    """
    region = part_of(nodes, output, wanted, _OPERATIONS)
    if region is None:
        return None
    inside, inputs = region
    called = [names.get(node, node.name or f"x{k}") for k, node in enumerate(inputs)]
    key = (structure(inside, inputs, output, wanted), *called)
    if key not in _found:
        if len(_found) >= _REMEMBERED:
            _found.clear()
        _found[key] = _searched(inside, inputs, output, wanted, called)
    rule = _found[key]
    if rule is None:
        return None
    rule = replace(rule, inputs=tuple(inputs))
    recorded = [None if values is None else values.get(node) for node in inputs]
    if any(value is None for value in recorded):
        return rule
    arrays = [np.asarray(value, np.float64)[()] for value in recorded]
    cotangent = np.random.default_rng(3).normal(size=output.shape)[()]
    return rule if agrees(rule, arrays, cotangent) else None


_found: dict[Any, LocalRule | None] = {}


def _searched(
    inside: Sequence[Node],
    inputs: Sequence[Node],
    output: Node,
    wanted: Node,
    called: Sequence[str],
) -> LocalRule | None:
    try:
        region = differentiated(inside, inputs, output, wanted)
        rules = _candidates(region, called)
    except (AutogradError, Overgrown, ZeroDivisionError, OverflowError):
        return None
    for rule in sorted(rules, key=lambda rule: len(rule.text)):
        if len(rule.text) > _TEXT:
            return None
        if confirmed(rule):
            return replace(rule, stable=keeps_range(rule))
    return None


# short forms


def _candidates(region: Region, called: Sequence[str]) -> list[LocalRule]:
    field = Field()
    pairs = zip((*region.inputs, region.cotangent, region.output), (*called, "G", "y"), strict=True)
    atoms = [field.name(node, name, node.shape) for node, name in pairs]
    reader = Reader(field, {n: symbol(a) for n, a in zip(region.inputs, atoms)})
    reader.known[region.cotangent] = symbol(atoms[-2])
    reader.read(Graph([region.output, region.derivative]))
    y, d = (field.folded(reader.known[node]) for node in (region.output, region.derivative))
    names = list(islice(named(field, [y, d]), _NAMES))
    forms: dict[Ratio, None] = {}
    try:
        for ratio in _forms(field, y, d, None if "y" in called else atoms[-1], names):
            forms.setdefault(field.folded(ratio))
    except Overgrown:
        pass  # what was found so far will do
    extra = tuple((k.atom, written(field, k.formula, atoms[-2])) for k in names)
    # of two inputs of one name a text would not say which
    shared = {atom for atom in atoms if sum(atom.name == other.name for other in atoms) > 1}
    short = [r for r in forms if terms_of(r, _TERMS) <= _TERMS and not _mentions(r, shared)]
    return [_rule(field, ratio, region, tuple(atoms), extra) for ratio in short]


def _forms(
    field: Field, y: Ratio, d: Ratio, name: Atom | None, names: Sequence[Known]
) -> Iterator[Ratio]:
    """The derivative as it is, in terms of named formulas, of the output (if named), of both."""
    starts = [(y, d)]
    yield d
    for known in names:
        starts += [(known.put(field, a), known.put(field, b)) for a, b in tuple(starts)]
    for made, slope in starts:
        yield slope
        for short in in_terms_of(field, slope, made, name) if name else ():
            yield short
            for known in names:
                yield known.put(field, short)


def _mentions(ratio: Ratio, atoms: set[Atom]) -> bool:
    """Whether any of these atoms is in a formula."""
    return any(atom in atoms for x in within([ratio]) for atom in x.atoms())


def _rule(
    field: Field, ratio: Ratio, region: Region, atoms: tuple[Atom, ...], extra: Any
) -> LocalRule:
    form = written(field, ratio, atoms[-2])
    shape, wanted = shape_of_ratio(ratio), region.inputs[region.at].shape
    text = form.text
    if bare(shape) != bare(wanted):
        text = f"{text if ' ' not in text else f'({text})'} repeated"
    elif len(shape) > len(wanted) and not any(
        a.op is OPS["sum"] for a in ratio.atoms()
    ):  # sums over axes that happen to be of size 1
        axes = "rows" if len(shape) == 2 else "axes"
        text = f"Σ {axes} {text if ' ' not in text else f'({text})'}"
    return LocalRule(text, form, region, True, atoms, named=extra)
