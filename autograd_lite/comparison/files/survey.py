"""A file checked in another process, which is started anew as often as something in it fails.

Knows: the job that the other process does, how long it may take, how to read from what it leaves
behind why it ended, how to end it with all its children.
Does not know: how layers are found, given inputs, compared.
Imports: its summary, errors.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from autograd_lite.comparison.files.summary import Checked, Survey
from autograd_lite.errors import CompareError

__all__ = ["Settings", "survey"]

_PACKAGE = Path(__file__).resolve().parents[3]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from autograd_lite.comparison.files.worker import main; main(sys.argv[2])"
)
_GRACE = 5.0  # seconds that the other process has to end itself after the limit


@dataclass(frozen=True)
class Settings:
    """How a file is checked.

    `given` are texts of values by "argument" or "Layer.argument" (see `given`), `cases` a file of
    cases, `only` the names of layers, `timeout` the seconds that each statement of the file and
    each layer may take, `listed` whether the layers are only looked for, `whole` whether the
    reports are wanted in all their forms, `fuzz` whether other shapes, dtypes and sizes of batches
    are tried too.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    cases: str | None = None
    only: Sequence[str] = ()
    timeout: float = 30.0
    listed: bool = False
    whole: bool = False
    fuzz: bool = False


def survey(
    path: Any, settings: Settings | None = None, progress: Callable[[str], None] | None = None
) -> Survey:
    """Run a `.py` file or notebook in another process, and check every layer that it defines.

    `progress` is told the name of each layer before its turn. Raises `CompareError` for a file
    that cannot be read, and for settings that do not fit it.
    """
    file = Path(path)
    if file.suffix not in (".py", ".ipynb"):
        raise CompareError(f"{file} is no Python file", mend="name a .py or .ipynb file")
    if not file.is_file():
        raise CompareError(f"there is no file {file}")
    settings = settings or Settings()
    if settings.cases is not None and not Path(settings.cases).is_file():
        raise CompareError(f"there is no file {settings.cases}", mend="name a file of cases")
    with tempfile.TemporaryDirectory(prefix="autograd-lite-") as folder:
        return _Survey(
            file.resolve(), settings, Path(folder), progress or (lambda name: None)
        ).run()


@dataclass(eq=False)
class _Survey:
    """One file on its way: what is known, and what the next process leaves out."""

    file: Path
    settings: Settings
    folder: Path
    progress: Callable[[str], None]
    avoid: dict[int, str] = field(default_factory=dict)
    rows: dict[int, Checked] = field(default_factory=dict)
    layers: dict[str, Any] = field(default_factory=dict)

    def run(self) -> Survey:
        while not self._once():
            pass
        found = self.layers["found"]
        rows = [
            self.rows.get(k) or Checked(named[0], named[1], "") for k, named in enumerate(found)
        ]
        unknown = [n for n in self.settings.only if n not in {name for name, _ in found}]
        if unknown:
            raise CompareError(
                f"{self.file.name} has no layer called {', '.join(unknown)}",
                mend="`--list` shows the layers that were found",
            )
        return Survey(
            self.file.name,
            tuple(rows),
            tuple(tuple(other) for other in self.layers["others"]),
            tuple(tuple(part) for part in self.layers["skipped"]),
            tuple(self.layers["troubles"]),
        )

    def _once(self) -> bool:
        """One process from its start to its end; whether it came to the end of its work."""
        trace = self.folder / "trace"
        trace.write_text("", encoding="utf-8")
        begun: dict[str, Any] = {"kind": "start"}
        with _process(self._job(trace), self.folder) as process:
            for message in _messages(process, self.settings.timeout + _GRACE):
                kind = message["kind"]
                if kind == "end":
                    return True
                if kind == "refused":
                    raise CompareError(message["what"], mend=message["mend"])
                if kind == "layers":
                    self.layers = message
                elif kind == "result":
                    self._take(message)
                else:
                    begun = message
                    if kind == "layer":
                        self.progress(self.layers["found"][message["number"]][0])
            code = _ended(process)
        why = _why(code, trace.read_text(encoding="utf-8", errors="replace"), self)
        return self._lost(begun, why)

    def _job(self, trace: Path) -> dict[str, Any]:
        cases = self.settings.cases
        return {
            "path": str(self.file),
            "trace": str(trace),
            "avoid": self.avoid,
            "done": list(self.rows),
            "given": dict(self.settings.given),
            "cases": None if cases is None else str(Path(cases).resolve()),
            "only": list(self.settings.only),
            "list": self.settings.listed,
            "whole": self.settings.whole,
            "timeout": self.settings.timeout,
            "fuzz": self.settings.fuzz,
        }

    def _take(self, message: dict[str, Any]) -> None:
        number = message["number"]
        facts = {k: v for k, v in message.items() if k not in ("kind", "number")}
        name, where = self.layers["found"][number]
        self.rows[number] = Checked(name, where, **facts)

    def _lost(self, begun: dict[str, Any], why: str) -> bool:
        """Note what did not come back; the next process leaves it out. Always False."""
        if begun["kind"] == "layer":
            name, where = self.layers["found"][begun["number"]]
            self.rows[begun["number"]] = Checked(name, where, "failed", reason=why)
        elif begun["kind"] == "statement" and begun["number"] not in self.avoid:
            self.avoid[begun["number"]] = why
        else:
            raise CompareError(
                f"{self.file.name} could not be checked: {why}",
                mend="give it more time with --timeout, or mend the file until python runs it",
            )
        return False


# ── the other process ────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _process(job: dict[str, Any], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The other process; when it is left, it and all its children are ended."""
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    quiet = {"MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(  # noqa: S603  # the command is a list, no shell
        [sys.executable, "-P", "-W", "ignore", "-c", _START, str(_PACKAGE), str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, **quiet},
        start_new_session=True,  # so that its children can be ended with it
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _messages(process: subprocess.Popen[str], patience: float) -> Iterator[dict[str, Any]]:
    """The messages until the process ends, or says nothing for so many seconds."""
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=patience)
        except queue.Empty:
            return
        if line is None:
            return
        yield json.loads(line)


def _read(stream: IO[str] | None, lines: queue.Queue[str | None]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError):  # closed while it waited
        for line in stream:
            lines.put(line)
    lines.put(None)


def _ended(process: subprocess.Popen[str]) -> int | None:
    """The exit code, None if it has to be ended."""
    try:
        return process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return None


_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)')


def _why(code: int | None, trace: str, of: _Survey) -> str:
    """Why the process ended, in words, with the line of the file that it had come to."""
    frames = [m for m in map(_FRAME.search, trace.splitlines()) if m is not None]
    own = [m for m in frames if m["file"].startswith(str(of.file))]
    at = f" (line {own[0]['line']}, in {own[0]['name']})" if own else ""
    if trace.startswith("Timeout") or code is None:
        return f"it took longer than {of.settings.timeout:g} s{at}"
    fatal = re.search(r"Fatal Python error: (.+)", trace)
    if fatal is not None:
        return f"it crashed: {fatal[1]}{at}"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"it was ended by {name}" + (
            ", as a system short of memory does" if name == "SIGKILL" else ""
        )
    return f"it ended the process with code {code}, as os._exit({code}) does"
