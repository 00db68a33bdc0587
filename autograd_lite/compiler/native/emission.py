"""Groups of values as kernels: what is not a plain nest of loops over maps and reductions is here.

Knows groups and the writer of kernels. Does not decide where arrays lie. Imports the planning
modules of this room, products and loops.
"""

from autograd_lite.compiler.native.fusion import Group, Plan
from autograd_lite.compiler.native.loops import loops_of
from autograd_lite.compiler.native.memory import Memory
from autograd_lite.compiler.native.products import write_product
from autograd_lite.compiler.native.scalars import Scalar
from autograd_lite.compiler.native.values import Value, identity, strides_of
from autograd_lite.compiler.native.writer import WHOLE, Kernel, Writer, flat, layout_of

__all__ = ["kernel_of"]


def kernel_of(group: Group, plan: Plan, memory: Memory) -> Kernel:
    """The kernel of a group."""
    root = group.roots[0]
    writer = Writer(group, plan, memory)
    writer.variables = [f"%x{i}" for i in range(len(group.shape))]
    if root.kind == "matmul":
        write_product(writer, root, layout_of)
    elif root.kind == "write":
        _write(writer, root, memory.in_place(root))
    elif root.kind == "arg":
        _argument(writer, root)
    elif root.kind == "scan":
        _scan(writer, root)
    else:
        return loops_of(group, plan, memory)
    return writer.finished()


def _write(writer: Writer, root: Value, in_place: bool) -> None:
    """A copy of the whole, unless it lies there, and elements put or added in some places."""
    whole, new, *arrays = root.args
    how, places = root.facts
    shape = writer.group.shape
    if not in_place:
        writer.variables = [""] * len(root.shape)
        with writer.nest(root.shape) as variables:
            writer.variables = variables
            start, factors = flat(strides_of(root.shape), identity(root.shape))
            x = writer.element(whole, identity(root.shape))
            writer.store(x, writer.address(root, start, factors))
    with writer.nest(shape) as variables:
        writer.variables = variables
        at = identity(shape)
        x = writer.element(new, at)
        where = writer.found(root, places, arrays, at)
        if how == "add":
            x = (
                writer.load(root, where) + x
                if x.dtype.kind != "b"
                else writer.load(root, where) | x
            )
        writer.store(x, where)


def _argument(writer: Writer, root: Value) -> None:
    """The position of the first extremum along the last axis; a NaN is one."""
    *rows, n = writer.group.shape
    source = root.args[0]
    code = writer.code
    best, place = writer.cell(source.dtype), writer.cell(WHOLE)
    with writer.nest(rows) as variables:
        first = (*identity(rows), (0, ()))
        writer.variables = [*variables, ""]
        writer.put(writer.element(source, first), best)
        writer.put(code.constant(0, WHOLE), place)
        with writer.loop(n) as i:
            writer.variables = [*variables, i]
            x = writer.element(source, identity(writer.group.shape))
            top = writer.get(best, source.dtype)
            better = x > top if root.facts == "maximum" else x < top
            if source.dtype.kind == "f":
                better = (better | (x != x)) & (top == top)
            writer.put(better.choose(x, top), best)
            here = Scalar(code, i, WHOLE)
            writer.put(better.choose(here, writer.get(place, WHOLE)), place)
        writer.variables = [*variables, ""]
        start, factors = flat(strides_of(root.shape), identity(root.shape))
        writer.store(writer.get(place, WHOLE), writer.address(root, start, factors))


def _scan(writer: Writer, root: Value) -> None:
    """Sums (or products) of all up to each element, along one axis, in order."""
    name, axis = root.facts
    shape = writer.group.shape
    stride = strides_of(shape)[axis]
    with writer.nest(shape) as variables:
        writer.variables = variables
        at = identity(shape)
        x = writer.element(root.args[0], at)
        start, factors = flat(strides_of(shape), at)
        if shape[axis] > 1:
            here = Scalar(writer.code, variables[axis], WHOLE)
            first = here == 0
            back = first.choose(
                writer.code.constant(0, WHOLE), writer.code.constant(-stride, WHOLE)
            )
            before = writer.load(root, writer.address(root, start, factors, back.name))
            joined = before + x if name == "add" else before * x
            x = first.choose(x, joined)
        writer.store(x, writer.address(root, start, factors))
