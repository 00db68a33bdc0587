"""The command: its demo, its tables, its exit codes, and one line for what goes wrong."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_lite import handwritten
from autograd_lite.cli import main
from autograd_lite.rules import OPS

FILES = {"affine", "affine_batch", "affine_4d", "relu", "sigmoid", "stack"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "autograd_lite", "demo", "--out", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, done.stdout


def test_the_demo_prints_every_comparison(demo: tuple[Path, str]) -> None:
    folder, text = demo
    assert text.startswith(
        "Affine, one sample\n"
        "  cotangent given; tolerance 1e-09 of each row's largest element; numbers as the third "
        "referee\n"
        "\n"
        "           shape  max |Δ|  relative  worst at  automatic  hand-written  numeric  verdict\n"
        "  forward  (1,3)        0         0     (0,2)         18            18        –  right\n"
        "  dx       (1,2)        0         0     (0,1)          7             7        7  right\n"
        "  dW       (2,3)        0         0     (0,0)          2             2        2  right\n"
        "  db       (3,)         0         0      (0,)          2             2        2  right\n"
        "  relative: of the row's largest element; what decides stands above. On the familiar "
        "scale more than\n  1e-2 is usually wrong, 1e-4 fine where there are kinks, 1e-7 and less "
        "good\n"
        "\n"
        "right: 4 of 4 hold\n"
    )
    assert re.findall(r"^(right|wrong): (\d) of (\d) hold", text, re.MULTILINE) == [
        ("right", n, n) for n in ("4", "4", "4", "2", "2", "6")
    ]
    assert text.endswith(
        "all 6 layers agree: automatic, hand-written and numeric\n"
        f"pictures and tables: {folder}/index.html\n"
    )
    assert max(map(len, text.removesuffix(f"{folder}/index.html\n").splitlines())) <= 100


def test_the_demo_draws_every_graph(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    assert {path.stem for path in folder.glob("*.svg")} == FILES
    for path in folder.glob("*.svg"):
        ET.parse(path)
    drawn = (folder / "affine_batch.svg").read_text(encoding="utf-8")
    # The notebook's gradients of x, W and b, in the picture.
    for number in ("1 7", "6 15", "4 3 1", "5 4 2", "3 2 0"):
        digits = r"\s+".join(re.escape(part) for part in number.split())
        assert re.search(rf"[\[\s>]{digits}[\]\s<]", drawn), number


def test_the_demos_page_stands_alone(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count("<section") == page.count("<svg") == page.count('<div class="ag-cmp">') == 6
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    links = set(re.findall(r'href="([^"#]+)"', page))
    assert links == {f"{name}.{suffix}" for name in FILES for suffix in ("svg", "html")}
    assert set(re.findall(r'href="#([^"]+)"', page)) == set(
        re.findall(r'section id="([^"]+)"', page)
    )


def test_pictures_on_one_page_do_not_share_ids(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    ids = re.findall(r'\sid="([^"]+)"', (folder / "index.html").read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids))


def test_a_wrong_layer_fails_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def backward(self: Any, dout: Any) -> Any:
        dx = np.array(dout)
        dx[~self.mask] *= -1
        return dx

    monkeypatch.setattr(handwritten.ReLU, "backward", backward)
    assert main(["demo", "--out", str(tmp_path)]) == 1
    text = capsys.readouterr().out
    assert "2 of 6 layers differ: ReLU, Affine → Sigmoid → Affine → ReLU\n" in text
    assert "✗ dx: the hand-written one is wrong: the automatic one and the numbers agree" in text
    assert "✗ ReLU" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["demo", "--out", str(file)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"autograd-lite: {file} cannot be made: File exists; name another folder with --out\n"
    )
    assert main(["demo", "--out", str(file / "below")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_ops_lists_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["operator", "kind", "symbol", "arguments"]
    assert [line.split()[0] for line in lines[1:-1]] == sorted(OPS)
    assert lines[-1] == f"{len(OPS)} operators"
    assert main(["ops", "--kind", "multilinear"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("matmul") for line in lines)
    assert all("multilinear" in line for line in lines[1:-1])


def test_ops_of_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops", "--kind", "strange"]) == 2
    kinds = ", ".join(sorted({op.kind for op in OPS.values()}))
    assert capsys.readouterr().err == f"autograd-lite: no operator is strange; one of: {kinds}\n"


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    facts = dict(line.split(maxsplit=1) for line in text.splitlines() if "dot" not in line[:10])
    assert facts["numpy"] == np.__version__
    assert facts["layout"] in {"pygraphviz", "dot", "builtin"}


def test_doctor_without_extras(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert main(["doctor"]) == 0
    line = next(s for s in capsys.readouterr().out.splitlines() if s.startswith("pygraphviz"))
    assert line.split(maxsplit=1)[1] == "not installed (pip install 'autograd-lite[draw]')"


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["demo", "--colour"]])
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: autograd-lite" in capsys.readouterr().err


# draw, view


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.py"
    path.write_text(
        "import autograd_lite as ag\n"
        "x = ag.tensor([1.0, 2.0], name='x')\n"
        "y = ag.exp(x)\n"
        "number = 3\n"
    )
    return path


def test_draw_and_view_take_a_tensor_of_a_file(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", f"{program}:y"]) == 0
    assert main(["view", "net.py:y", "--out", "page.html"]) == 0
    assert capsys.readouterr().out == "graph.svg\npage.html\n"
    assert (program.parent / "graph.svg").read_text().startswith("<svg")
    assert "exp computes exp(x)" not in (program.parent / "graph.svg").read_text()
    assert (program.parent / "page.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("net.py", "net.py names no tensor; write FILE.py:NAME"),
        ("net.txt:y", "net.txt:y names no tensor; write FILE.py:NAME"),
        ("other.py:y", "there is no file other.py"),
        ("net.py:z", "net.py makes nothing called z"),
        ("net.py:number", "a picture is drawn of a tensor or a Graph, not of a int; compute with"),
        ("bad.py:y", "bad.py failed: ZeroDivisionError: division by zero; mend it until"),
    ],
)
def test_a_wrong_target_is_told_in_one_line(
    program: Path, capsys: pytest.CaptureFixture[str], target: str, told: str
) -> None:
    program.with_name("bad.py").write_text("1 / 0\n")
    assert main(["view", target]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"autograd-lite: {told}")
    assert printed.err.count("\n") == 1
    assert not (program.parent / "graph.html").exists()
