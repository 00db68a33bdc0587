"""A drawing as text: a tree for terminals, DOT, Mermaid.

Knows drawings, no graphs and no coordinates. What a user named is escaped for each form; ids are
counters. Imports its siblings.
"""

from collections.abc import Iterator

from autograd_lite.picture.arrays import one_line
from autograd_lite.picture.drawing import ByHand, Drawing, Edge, Label, Mark
from autograd_lite.picture.widths import cells

__all__ = ["as_dot", "as_mermaid", "as_tree"]


def as_tree(drawing: Drawing) -> str:
    """Every mark in order, indented by its frames, with a branch for each input.

    Values stand in a column of their own, and so do the gradients that flow back over a branch.
    """
    shown: list[tuple[str, str]] = []
    open_frames: tuple[int, ...] = ()
    for m, mark in enumerate(drawing.marks):
        rows = [*_results(drawing, m), *_branches(drawing, m)] if mark.kind != "dot" else []
        path = _path(drawing, mark.frame) if rows else open_frames
        for depth, one in enumerate(path):
            if depth >= len(open_frames) or open_frames[depth] != one:
                shown.append(("  " * depth + f"▾ {drawing.frames[one].title}", ""))
        open_frames = path
        shown += [("  " * len(path) + left, right) for left, right in rows]
    wide = max((cells(left) for left, _ in shown), default=0)
    lines = [f"{left}{' ' * (wide - cells(left))}  {right}".rstrip() for left, right in shown]
    return "\n".join([*lines, drawing.note, ""] if drawing.note else [*lines, ""])


def _results(drawing: Drawing, m: int) -> Iterator[tuple[str, str]]:
    """A mark with what it gives: one row for each result, and its sum of gradients if there is."""
    mark = drawing.marks[m]
    computed = mark.kind in ("op", "fold")
    head = _caption(mark) if computed else f"{mark.kind} {_caption(mark)}"
    head = f"◆ {head}" if mark.emphasis == "strong" else head
    leaving = [e for e in drawing.edges if e.source == m and e.label is not None]
    for edge in leaving if computed else leaving[:1]:
        label = edge.label or Label()
        name = f" → {label.name} {label.shape}".rstrip() if computed else ""
        yield head + name, f"{one_line(label.value)}{_hand(label.value_by_hand)}"
        if drawing.marks[edge.target].kind == "dot" and label.gradient:
            yield "", _backward(label)
        head = " " * cells(head)
    if not leaving:
        yield head, ""


def _branches(drawing: Drawing, m: int) -> Iterator[tuple[str, str]]:
    """What a mark reads, with the gradient and the rule that flow back there."""
    entering = [e for e in drawing.edges if e.target == m]
    for k, edge in enumerate(entering):
        branch = "└─ " if k == len(entering) - 1 else "├─ "
        name = edge.label.name if edge.label else ""
        right = _backward(edge.label) if edge.label else ""
        yield f"  {branch}{name or _origin(drawing, edge).title}", right


def _backward(label: Label) -> str:
    gradient = f"gradient {one_line(label.gradient)}" if label.gradient else ""
    return f"{gradient}  {label.rule}".strip() + _hand(label.gradient_by_hand)


def _hand(by_hand: ByHand | None) -> str:
    return f"  {by_hand.sign} by hand {one_line(by_hand.text)}" if by_hand else ""


def _origin(drawing: Drawing, edge: Edge) -> Mark:
    source = drawing.marks[edge.source]
    if source.kind != "dot":
        return source
    return next(_origin(drawing, e) for e in drawing.edges if e.target == edge.source)


def _path(drawing: Drawing, frame: int) -> tuple[int, ...]:
    path: list[int] = []
    while frame >= 0:
        path.append(frame)
        frame = drawing.frames[frame].parent
    return tuple(reversed(path))


_LOOKS = {"strong": " penwidth=3", "faint": " color=gray fontcolor=gray40"}


def as_dot(drawing: Drawing, direction: str = "LR") -> str:
    """The structure as a DOT file, for Graphviz and what reads it."""
    shapes = {"op": "ellipse", "dot": "point", "fold": "box3d"}
    lines = ["digraph g {", f"  rankdir={direction}"]

    def block(frame: int, depth: int) -> None:
        pad = "  " * depth
        for m, mark in enumerate(drawing.marks):
            if mark.frame == frame:
                shape = shapes.get(mark.kind, "box")
                look = _LOOKS.get(mark.emphasis, "")
                lines.append(f"{pad}n{m} [label={_quoted(_caption(mark))} shape={shape}{look}]")
        for k, scene in enumerate(drawing.frames):
            if scene.parent == frame:
                lines.append(f"{pad}subgraph cluster_{k} {{ label={_quoted(scene.title)}")
                block(k, depth + 1)
                lines.append(pad + "}")

    block(-1, 1)
    for edge in drawing.edges:
        label = f"label={_quoted(_words(edge))}{_LOOKS.get(edge.emphasis, '')}"
        lines.append(f"  n{edge.source} -> n{edge.target} [{label}]")
    return "\n".join([*lines, "}", ""])


def as_mermaid(drawing: Drawing, direction: str = "LR") -> str:
    """The structure as a Mermaid flowchart."""
    lines = [f"flowchart {direction}"]
    brackets = {"op": ("((", "))"), "dot": ("((", "))"), "fold": ("[[", "]]")}

    def block(frame: int, depth: int) -> None:
        pad = "  " * depth
        for m, mark in enumerate(drawing.marks):
            if mark.frame == frame:
                left, right = brackets.get(mark.kind, ("[", "]"))
                lines.append(f'{pad}n{m}{left}"{_entities(_caption(mark)) or "•"}"{right}')
        for k, scene in enumerate(drawing.frames):
            if scene.parent == frame:
                lines.append(f'{pad}subgraph s{k}["{_entities(scene.title)}"]')
                block(k, depth + 1)
                lines.append(f"{pad}end")

    block(-1, 1)
    for edge in drawing.edges:
        words = _entities(_words(edge))
        link = f'-- "{words}" -->' if words else "-->"
        lines.append(f"  n{edge.source} {link} n{edge.target}")
    strong = [f"n{m}" for m, mark in enumerate(drawing.marks) if mark.emphasis == "strong"]
    if strong:
        lines += ["  classDef strong stroke-width:4px", f"  class {','.join(strong)} strong"]
    return "\n".join([*lines, ""])


def _caption(mark: Mark) -> str:
    shown = (mark.title, mark.subtitle.replace("\n", " "), mark.sign, mark.flag)
    return " ".join(filter(None, shown))


def _words(edge: Edge) -> str:
    label = edge.label
    return f"{label.name} {label.shape}".strip() if label else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _entities(text: str) -> str:
    return "".join(ch if ch.isalnum() or ch in " (),.+-×·−" else f"#{ord(ch)};" for ch in text)
