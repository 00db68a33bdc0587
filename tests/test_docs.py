"""Everything that is shown runs: README, CONTRIBUTING, docs/, examples/, docstrings.

Pages and examples run in processes of their own, so that what they declare stays theirs.
"""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
from docs.generate import DOCS, PAGES, ROOT
from docs.numpy_names import minor_version
from docs.pages import blocks, refreshed

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MARKDOWN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("autograd_lite", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if path.stem != "__main__"
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


OPERATORS = [page for page in PAGES if name(page).startswith("docs/operators")]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OPERATORS], ids=name)
def test_a_page_runs_and_shows_what_it_prints(page: Path) -> None:
    other = f"in NumPy {minor_version()}." not in page.read_text(encoding="utf-8")
    if page.name == "numpy.md" and other:
        pytest.skip("the list was made with another NumPy, which has other names")
    done = python("-m", "docs.generate", "--check", page, cwd=ROOT)
    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"


def test_the_pages_of_operators_are_up_to_date() -> None:
    done = python("-m", "docs.generate", "--check", *OPERATORS, cwd=ROOT)
    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"


def test_every_picture_is_shown() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in MARKDOWN)
    pictures = [str(path.relative_to(DOCS)) for path in (DOCS / "images").rglob("*.svg")]
    assert [path for path in pictures if path not in shown] == []


def test_every_page_is_checked() -> None:
    unchecked = set(MARKDOWN) - set(PAGES) - {ROOT / "CHANGELOG.md"}
    assert not unchecked, "name them in docs/generate.py"


@pytest.mark.parametrize("page", MARKDOWN, ids=name)
def test_links_and_pictures_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src(?:set)?=\"([^\"]+)\"", text)
    local = [first or second for first, second in targets if "://" not in first + second]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", MARKDOWN, ids=name)
def test_make_targets_that_a_page_names_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    found = blocks(page.read_text(encoding="utf-8"))
    shell = "".join(block.text for block in found if block.language == "sh")
    assert set(re.findall(r"^make ([a-z]+)", shell, re.MULTILINE)) <= targets


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    done = python(example, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def doctests() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = {"ag": ag, "np": np}
    found = []
    for module in MODULES:
        loaded = importlib.import_module(module)
        found += finder.find(loaded, module, globs=vars(loaded) | names)
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", doctests(), ids=lambda test: test.name)
def test_an_example_in_a_docstring_is_true(
    test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    doctest.DocTestRunner(optionflags=options).run(test, out=report.append)
    assert not report, "".join(report)


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert refreshed("page.md", page, tmp_path) == page.replace("3", "2")


def test_an_output_that_is_not_shown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:2: prints"):
        refreshed("page.md", "```python\nprint(1)\n```\n", tmp_path)


def test_an_error_that_does_not_come_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="raises nothing"):
        refreshed("page.md", "```python raises\n1 + 1\n```\n", tmp_path)


def test_the_example_notebook_shows_what_its_cells_make() -> None:
    done = python("-m", "docs.example_notebook", "--check", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
