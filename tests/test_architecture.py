"""The house: which room may import which, and the manners that hold in every room.

Everything is read from the source by `ast`; nothing of the package runs but where a test says so.
"""

from __future__ import annotations

import ast
import importlib
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autograd_lite"

# A room imports from lower floors only; two rooms on one floor do not import each other.
# The ground is what every room may use: the exceptions.
FLOORS = [
    {"errors"},
    {"shapes", "tree", "progress"},
    {"graph"},
    {"modes", "notation", "reading"},
    {"tensors"},
    {"operator_errors"},
    {"recording"},
    {"rules"},
    {"ops"},
    {"reverse", "linalg", "fft"},
    {"derivatives", "numeric", "numpy", "protocol", "random"},
    {"nn", "optim", "custom", "handwritten", "lifting", "rewrite"},
    {"export", "picture"},
    {"compiler", "comparison"},
    {"__init__"},  # the public face; it names the upper rooms, and loads them on first use
    {"testing", "cli"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# Rooms that are judges of the engine, or compared against it, must not know it.
INDEPENDENT = {"numeric", "handwritten"}

MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = MODULES + sorted(
    path for folder in ("tests", "docs", "examples") for path in (ROOT / folder).rglob("*.py")
)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(path: Path) -> str:
    """The name of a module: autograd_lite/ops/pointwise.py → autograd_lite.ops.pointwise."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room of a module of the package: autograd_lite.ops.pointwise → ops."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


KNOWN_MODULES = {dotted(path): path for path in MODULES}


def imported(path: Path, node: ast.Import | ast.ImportFrom) -> list[str]:
    """Absolute names of what an import statement loads, submodules of the package resolved."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        package = dotted(path).split(".")
        if path.name != "__init__.py":
            package = package[:-1]
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, *([node.module] if node.module else [])])
    return [
        f"{base}.{alias.name}" if f"{base}.{alias.name}" in KNOWN_MODULES else base
        for alias in node.names
    ]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, absolute name) of every import of a file, those that only types need left out."""
    found = []
    pending: list[ast.AST] = [tree_of(path)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [(node.lineno, name) for name in imported(path, node)]
        pending += node.orelse if is_type_checking(node) else list(ast.iter_child_nodes(node))
    return found


def of_package(path: Path) -> list[tuple[int, str]]:
    return [(line, name) for line, name in imports(path) if name.split(".")[0] == "autograd_lite"]


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_room_has_a_floor(path: Path) -> None:
    assert room_of(dotted(path)) in FLOOR, "name the new room and its floor in FLOORS"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_room_imports_from_lower_floors_only(path: Path) -> None:
    room = room_of(dotted(path))
    for line, name in of_package(path):
        other = room_of(name)
        assert other == room or FLOOR[other] < FLOOR[room], (
            f"{relative(path)}:{line}: {room} imports {name}, which is not on a lower floor"
        )


def test_no_two_modules_import_each_other() -> None:
    graph = {
        dotted(path): {name for _, name in of_package(path) if name != dotted(path)}
        for path in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_an_import_stands_at_the_top(path: Path) -> None:
    """Allowed: `__getattr__` of an `__init__`, which loads public names lazily."""
    late = [
        f"{relative(path)}:{inner.lineno}: import inside {outer.name}"
        for outer in ast.walk(tree_of(path))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        and not (path.name == "__init__.py" and outer.name == "__getattr__")
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not late, "\n".join(late)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_errors_and_lazy_names_import_by_name(path: Path) -> None:
    """`importlib.import_module` elsewhere would be a late import in disguise."""
    if dotted(path) == "autograd_lite.errors" or path.name == "__init__.py":
        return
    hooks = {"importlib.abc", "importlib.machinery"}  # what an import hook is made of
    parts = [name for _, name in imports(path) if name.split(".")[0] == "importlib"]
    assert set(parts) <= hooks
    text = path.read_text(encoding="utf-8")
    assert "__import__(" not in text
    assert "import_module(" not in text


@pytest.mark.parametrize("room", sorted(INDEPENDENT))
def test_a_judge_knows_nothing_of_the_engine(room: str) -> None:
    """`numeric` and `handwritten` stand on NumPy, and on errors and shapes at most."""
    for path in MODULES:
        if room_of(dotted(path)) == room:
            foreign = {room_of(name) for _, name in of_package(path)} - {room}
            assert foreign <= FLOORS[0] | FLOORS[1], f"{relative(path)} imports {sorted(foreign)}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_knows(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), f"{relative(path)} has no docstring"


def assigned_all(tree: ast.Module) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "__all__"
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if assigned_all(tree_of(path))],
    ids=relative,
)
def test_all_is_true(path: Path) -> None:
    """Every name of `__all__` is there, once; every public definition of the module is in it."""
    module = importlib.import_module(dotted(path))
    names = list(module.__all__)
    assert len(names) == len(set(names)), "a name stands twice in __all__"
    missing = [name for name in names if not hasattr(module, name)]
    assert not missing, f"__all__ names what is not there: {missing}"
    unlisted = [
        statement.name
        for statement in tree_of(path).body
        if isinstance(statement, ast.FunctionDef | ast.ClassDef)
        and not statement.name.startswith("_")
        and statement.name not in names
    ]
    assert not unlisted, f"public, but not in __all__: {unlisted}"


def test_no_room_hides_a_public_function() -> None:
    """A submodule once imported becomes an attribute of the package, over a function's name."""
    package = importlib.import_module("autograd_lite")
    rooms = {room_of(module) for module in KNOWN_MODULES} - {"__init__", "__main__"}
    for room in rooms & set(getattr(package, "__all__", ())):
        assert isinstance(getattr(package, room), ModuleType), f"room {room} hides a function"


def all_operators() -> set[str]:
    importlib.import_module("autograd_lite.ops")
    return set(importlib.import_module("autograd_lite.rules").OPS)


def names_in(node: ast.AST) -> list[str]:
    """The strings of a literal collection, or those that something's `.name` is compared with."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        texts: list[ast.expr | None] = list(node.elts)
    elif isinstance(node, ast.Dict):
        texts = list(node.keys)
    else:
        return []
    return [
        text.value
        for text in texts
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]


# What another system calls NumPy's functions, where it means the same by them, it alone knows.
DICTIONARIES = {"autograd_lite/compiler/derived/torch_style.py"}


@pytest.mark.parametrize(
    "path",
    # The protocol is the one table that ties Python's operators and methods to functions.
    [path for path in MODULES
     if room_of(dotted(path)) not in {"ops", "protocol"} and relative(path) not in DICTIONARIES],
    ids=relative,
)  # fmt: skip
def test_operators_are_listed_in_ops_alone(path: Path) -> None:
    """What a room needs to know of operators it reads from the registry."""
    operators = all_operators()
    tree = tree_of(path)
    exported = {
        id(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
    }
    for node in ast.walk(tree):
        if id(node) in exported:
            continue
        listed = [name for name in names_in(node) if name in operators]
        assert len(listed) < 4, f"{relative(path)}:{node.lineno}: lists operators {listed}"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room_of(dotted(path)) == "picture"], ids=relative
)
def test_the_picture_knows_no_operator_by_name(path: Path) -> None:
    operators = all_operators()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Compare) and re.search(r"\bop\b", ast.unparse(node)):
            words = {
                leaf.value
                for leaf in ast.walk(node)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
            }
            assert not words & operators, f"{relative(path)}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """About forty lines is the rule; this is the limit, docstrings not counted."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            lines = (
                node.end_lineno - node.lineno + 1 - len((ast.get_docstring(node) or "").split("\n"))
            )
            assert lines <= 55, f"{relative(path)}:{node.lineno}: {node.name} has {lines} lines"


SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)(?P<rest>.*)")
CODES = re.compile(r"^(:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*|\[[\w\-, ]+\])?[\s#:–—-]*")


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_suppression_carries_its_reason(path: Path) -> None:
    """The form: `# noqa: S603  # the command is a list, no shell`."""
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if match := SUPPRESSION.search(line):
            reason = CODES.sub("", match["rest"])
            assert len(reason) >= 8, f"{relative(path)}:{number}: no reason after: {match[0]}"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.is_relative_to(ROOT / "tests")], ids=relative
)
def test_a_skip_carries_its_reason(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Attribute) or ast.unparse(node.value) != "pytest.mark":
            continue
        assert node.attr != "skip", f"{relative(path)}:{node.lineno}: a test that never runs"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "pytest.mark.skipif",
            "pytest.mark.xfail",
        }:
            keywords = {keyword.arg for keyword in node.keywords}
            assert "reason" in keywords, f"{relative(path)}:{node.lineno}: no reason"
