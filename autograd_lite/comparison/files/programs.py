"""A Python file or a notebook, run statement by statement: what fails is told, the rest goes on.

Knows: how code cells are read (magics, shell lines and `%%` cells are left out), where the file's
own modules and data lie, that `__name__` is not `"__main__"`.
Does not know: layers, processes, time limits.
Imports: errors, graph, its stand-ins for missing modules.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import json
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd_lite.comparison.files.missing import StandIns
from autograd_lite.errors import CompareError
from autograd_lite.graph import visible

__all__ = [
    "Place",
    "Program",
    "Skipped",
    "Statement",
    "assignments",
    "definitions",
    "told",
    "unpackings",
]


@dataclass(frozen=True)
class Place:
    """Where something stands: a line, and in a notebook the number of the code cell."""

    line: int
    cell: int = 0

    def __str__(self) -> str:
        return f"cell {self.cell}, line {self.line}" if self.cell else f"line {self.line}"


@dataclass(frozen=True)
class Skipped:
    """A part of the file that did not run, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class Statement:
    """One statement of the file; `file` is what tracebacks call it."""

    node: ast.stmt
    place: Place
    file: str


@dataclass(eq=False)
class Program:
    """The statements of a file, and the module that they make when they run.

    `skipped` grows with what could not be read or run.
    """

    path: Path
    statements: list[Statement]
    skipped: list[Skipped]
    module: ModuleType = field(init=False)
    _flags: int = 0

    @classmethod
    def read(cls, path: Path) -> Program:
        """Read a `.py` or `.ipynb` file. `CompareError` where it cannot be read at all."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise CompareError(
                f"{path.name} is no text in UTF-8: {error.reason}",
                mend="save it as UTF-8",
            ) from error
        skipped: list[Skipped] = []
        if path.suffix == ".ipynb":
            sources = list(_cells(path, text, skipped))
        else:
            sources = [(0, str(path), text)]
        statements: list[Statement] = []
        for cell, file, source in sources:
            lines = source.splitlines(keepends=True)
            linecache.cache[file] = (len(source), None, lines, file)
            try:
                tree = ast.parse(source, file)
            except (SyntaxError, ValueError) as error:
                place = Place(getattr(error, "lineno", None) or 1, cell)
                skipped.append(Skipped(str(place), f"{type(error).__name__}: {_first(error)}"))
                continue
            statements += [Statement(n, Place(_line(n), cell), file) for n in tree.body]
        return cls(path, statements, skipped)

    def run(self, avoid: dict[int, str], begin: Callable[[int, Statement], None]) -> None:
        """Run all statements but those in `avoid` (number → why); `begin` is told of each."""
        self._prepare()
        if self._is_there():
            return
        for number, statement in enumerate(self.statements):
            if number in avoid:
                self.skipped.append(Skipped(str(statement.place), avoid[number]))
                continue
            begin(number, statement)
            try:
                self._run(statement)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code
                self.skipped.append(Skipped(str(statement.place), told(error, statement.file)))

    def _prepare(self) -> None:
        """The folders to import and read from, and a module to run in."""
        folder = self.path.parent
        root, package = folder, list[str]()
        while (root / "__init__.py").is_file() and root != root.parent:
            package.insert(0, root.name)
            root = root.parent
        self._called_from = Path.cwd()
        sys.path[:0] = list(dict.fromkeys([str(folder), str(root)]))
        sys.path.append(str(self._called_from))
        os.chdir(folder)
        sys.argv = [str(self.path)]
        self._package = ".".join(package)
        self._standins = StandIns()
        name = ".".join([*package, self.path.stem])
        if package:
            self._import_package(package, root)
        elif name in sys.modules or name in sys.stdlib_module_names:
            name = f"{name}_"  # a file called random.py hides nothing
        self._name = name

    def _import_package(self, package: list[str], root: Path) -> None:
        """The parents of a module run first; empty ones stand in for them where they fail."""
        reason = ""
        for _ in range(20):
            try:
                with self._standins.lenient():
                    exec(f"import {self._package}", {})  # noqa: S102  # as importing the file does
                return
            except ModuleNotFoundError as error:
                if error.name is None or not self._standins.add(error.name):
                    reason = told(error)
                    break
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code
                reason = told(error)
                break
        self.skipped.append(Skipped(f"package {self._package}", reason))
        for count in range(1, len(package) + 1):
            name = ".".join(package[:count])
            if name not in sys.modules:
                module = ModuleType(name)
                module.__path__ = [str(root.joinpath(*package[:count]))]
                sys.modules[name] = module

    def _is_there(self) -> bool:
        """Whether its package has imported the file already."""
        there = sys.modules.get(self._name)
        if there is not None and getattr(there, "__file__", None) == str(self.path):
            self.module = there
            return True
        self.module = ModuleType(self._name)
        self.module.__file__ = str(self.path)
        self.module.__package__ = self._package
        sys.modules[self._name] = self.module
        return False

    def _run(self, statement: Statement) -> None:
        """Run one; once more where a module or a file is missing, with a stand-in or elsewhere."""
        for _ in range(20):
            try:
                return self._execute(statement)
            except ModuleNotFoundError as error:
                is_import = isinstance(statement.node, ast.Import | ast.ImportFrom)
                if not (is_import and error.name and self._standins.add(error.name)):
                    raise
                text = f"the module {error.name} is not installed; what uses it fails"
                self.skipped.append(Skipped(str(statement.place), text))
            except FileNotFoundError:
                if Path.cwd() == self._called_from:
                    raise
                here = Path.cwd()
                os.chdir(self._called_from)
                try:
                    return self._execute(statement)
                finally:
                    os.chdir(here)
        return None

    def _execute(self, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for name in node.names:
                self._flags |= getattr(__future__, name.name).compiler_flag
        tree = ast.Module([node], [])
        code = compile(tree, statement.file, "exec", self._flags, dont_inherit=True)
        imports = isinstance(node, ast.Import | ast.ImportFrom)
        with self._standins.lenient() if imports else contextlib.nullcontext():
            exec(code, self.module.__dict__)  # noqa: S102  # running the file is what was asked for


def told(error: BaseException, file: str = "") -> str:
    """Type and text of an exception in one line, with the last line of the file that it passed."""
    text = _first(error)
    if isinstance(error, SystemExit):
        text = f"it calls sys.exit({error.code!r})"
    elif isinstance(error, EOFError) and "reading a line" in text:
        text = "it calls input(), and nobody answers here"
    else:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if file and trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f"{text} (line {lines[-1]})" if lines else text


def _first(error: BaseException) -> str:
    """The first line of an exception's text."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return visible(text.strip().splitlines()[0], 300) if text and text.strip() else ""


def _line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(d.lineno for d in decorators)]))


# ── notebooks ────────────────────────────────────────────────────────────────────────────────────

_MAGIC = re.compile(r"^(\s*)(?:[\w.,\s]+=\s*)?(?:%%?[A-Za-z_]|!|\?).*$|^(\s*)[\w.]+\?{1,2}\s*$")


def _cells(path: Path, text: str, skipped: list[Skipped]) -> Iterator[tuple[int, str, str]]:
    """The number, file name and source of every code cell that holds Python."""
    try:
        notebook = json.loads(text)
        cells = notebook.get("cells") or [
            cell for sheet in notebook.get("worksheets", []) for cell in sheet.get("cells", [])
        ]
        codes = [cell for cell in cells if cell.get("cell_type") == "code"]
    except (ValueError, AttributeError) as error:
        raise CompareError(
            f"{path.name} is no notebook: {error}", mend="open it in Jupyter and save it anew"
        ) from error
    for number, cell in enumerate(codes, start=1):
        source = cell.get("source", cell.get("input", ""))
        source = "".join(source) if isinstance(source, list) else str(source)
        first = source.lstrip().partition("\n")[0].strip()
        if first.startswith("%%"):
            skipped.append(Skipped(f"cell {number}", f"{first[:40]} cells are not run"))
        elif source.strip():
            yield number, f"{path}[{number}]", _plain(source)


def _plain(source: str) -> str:
    """A cell without its magics and shell lines; line numbers stay."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        lines = [_MAGIC.sub(lambda m: f"{m[1] or m[2] or ''}pass", s) for s in source.split("\n")]
        return "\n".join(lines)
    return source


def definitions(program: Program) -> dict[str, tuple[ast.AST, Place]]:
    """The classes and functions that the file itself defines, each with its last place."""
    found: dict[str, tuple[ast.AST, Place]] = {}
    kinds = ast.ClassDef | ast.FunctionDef
    for statement in program.statements:
        pending: list[Any] = [statement.node]
        while pending:
            node = pending.pop(0)
            if isinstance(node, kinds):
                found.pop(node.name, None)
                found[node.name] = (node, Place(node.lineno, statement.place.cell))
            elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
                pending += ast.iter_child_nodes(node)
            elif isinstance(node, ast.ExceptHandler):
                pending += node.body
    return found


def unpackings(program: Program) -> list[tuple[tuple[str, ...], str, Place]]:
    """The names that `f, g = make(…)` gives values to, and what is called, at the file's level."""
    found = []
    for statement in program.statements:
        node = statement.node
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        target, called = node.targets[0], node.value.func
        if isinstance(target, ast.Tuple) and isinstance(called, ast.Name):
            names = tuple(ast.unparse(one) for one in target.elts)
            found.append((names, called.id, statement.place))
    return found


def assignments(program: Program) -> dict[str, Place]:
    """The names that the file gives values to, each with its last place."""
    found: dict[str, Place] = {}
    for statement in program.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = Place(node.lineno, statement.place.cell)
    return found
