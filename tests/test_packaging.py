"""What users install: the sdist and the wheel build, hold the right files, and work elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autograd_lite"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into a folder of its own, far from the source."""
    folder = tmp_path_factory.mktemp("installed")
    [wheel] = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--no-compile", "--target", folder, wheel, cwd=folder)
    return folder


def package_files() -> set[str]:
    return {"pytest_autograd_lite.py"} | {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    assert wheel.name == f"autograd_lite-{PROJECT['version']}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == package_files()
    assert "autograd_lite/py.typed" in inside
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_pytest_finds_the_plug_in(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import autograd_lite as ag\n"
        "def test_it(gradients_match):\n"
        "    gradients_match(ag.handwritten.ReLU(), [[1.0, -2.0]])\n"
    )
    output = run(
        sys.executable, "-W", "error", "-m", "pytest", "-q", cwd=tmp_path, PYTHONPATH=f"{installed}"
    )
    assert "1 passed" in output


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert package_files() <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "tests/conftest.py"} <= names


def test_the_installed_wheel_computes_a_gradient(installed: Path, tmp_path: Path) -> None:
    program = (
        "import autograd_lite as ag, numpy as np\n"
        "x = ag.tensor([1.0, 2.0, 3.0])\n"
        "(x * x).sum().backward()\n"
        "print(ag.__file__)\n"
        "print(ag.__version__)\n"
        "print(x.grad.tolist())\n"
    )
    output = run(
        sys.executable, "-W", "error", "-c", program, cwd=tmp_path, PYTHONPATH=f"{installed}"
    )
    file, version, gradient = output.splitlines()
    assert Path(file).is_relative_to(installed)
    assert version == PROJECT["version"]
    assert gradient == "[2.0, 4.0, 6.0]"


def test_the_installed_command_runs_the_demo(installed: Path, tmp_path: Path) -> None:
    run(
        sys.executable,
        *("-W", "error", "-m", "autograd_lite", "demo", "--out", "pictures"),
        cwd=tmp_path,
        PYTHONPATH=f"{installed}",
    )
    assert (tmp_path / "pictures" / "index.html").is_file()
    assert list((tmp_path / "pictures").glob("*.svg"))


def test_the_console_script_is_there(installed: Path, tmp_path: Path) -> None:
    scripts = [path for path in (installed / "bin").iterdir() if path.stem == "autograd-lite"]
    assert len(scripts) == 1
    output = run(sys.executable, scripts[0], "--help", cwd=tmp_path, PYTHONPATH=f"{installed}")
    assert "demo" in output


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^## \[(Unreleased|{re.escape(PROJECT['version'])})\]", changelog, re.MULTILINE
    )
