"""The other process: runs the file, finds its layers, checks one after the other, and tells.

Knows: that a stranger's code may print, read, hang or end the process; that the one who waits is
told before anything is begun, so that it knows what it was that did not come back.
Does not know: who waits, tables, the command line.
Imports: its neighbours, the comparison, the picture, errors.

Each message is a line of JSON on what was the standard output when the process began; the program's
own output goes nowhere.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]  # a module, or none

from autograd_lite.comparison import page
from autograd_lite.comparison.examine import compare
from autograd_lite.comparison.files.finding import Found, Layers, layers_of
from autograd_lite.comparison.files.given import Case, Given
from autograd_lite.comparison.files.making import made
from autograd_lite.comparison.files.programs import Place, Program, told
from autograd_lite.comparison.files.slots import Target, other_settings, slots_of
from autograd_lite.comparison.report import Comparison
from autograd_lite.errors import AutogradError
from autograd_lite.picture import draw

__all__ = ["main"]

_DRAWN = 120  # nodes of a graph that is still drawn
_MEMORY = 0.75  # of the machine's, that the program may take


def main(job_file: str) -> None:
    """Do the job that a file describes."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    _limit_memory()
    _Worker(job, _channel()).work()
    os._exit(0)  # threads and handlers of the program are not waited for


def _limit_memory() -> None:
    """A program that wants too much gets a MemoryError, before the machine has nothing left."""
    if resource is not None:
        most = int(_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        _, allowed = resource.getrlimit(resource.RLIMIT_DATA)
        if allowed == resource.RLIM_INFINITY or allowed > most:
            resource.setrlimit(resource.RLIMIT_DATA, (most, allowed))


def _channel() -> IO[str]:
    """The old standard output; the program's goes nowhere from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = _Silent(nowhere, "w")
    return channel


class _Silent(io.TextIOWrapper):
    """A stream that forgets at once what is written to it."""

    def __init__(self, descriptor: int, mode: str) -> None:
        super().__init__(io.FileIO(descriptor, mode))

    def write(self, text: str) -> int:
        """Nothing is written."""
        return len(text)


def _end_with(parent: int) -> None:
    """End this process, and those that it started, when the one that waits is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class _Worker:
    def __init__(self, job: dict[str, Any], channel: IO[str]) -> None:
        self.job, self.channel = job, channel
        self.trace = Path(job["trace"]).open("w", encoding="utf-8")  # noqa: SIM115  # open to the end
        faulthandler.enable(self.trace)
        if hasattr(os, "getppid"):
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

    def tell(self, kind: str, **facts: Any) -> None:
        self.channel.write(json.dumps({"kind": kind, **facts}) + "\n")
        self.channel.flush()

    def begin(self, kind: str, number: int, limited: bool = True) -> None:
        """Tell what comes now; if it takes too long, the process writes where it is, and ends."""
        self.tell(kind, number=number)
        if limited:
            faulthandler.dump_traceback_later(self.job["timeout"], exit=True, file=self.trace)

    def work(self) -> None:
        try:
            program = Program.read(Path(self.job["path"]))
            avoid = {int(k): why for k, why in self.job["avoid"].items()}
            program.run(avoid, lambda number, _: self.begin("statement", number))
            self.begin("search", 0)
            given = Given.read(program, self.job["given"], self.job["cases"])
            layers = layers_of(program)
            if any("." in name for name in given.values):
                given.troubles += given.misnamed({f.name: _arguments(f) for f in layers.found})
        except AutogradError as error:
            self.tell("refused", what=error.what, mend=error.mend)
            return
        faulthandler.cancel_dump_traceback_later()
        tasks = self._tasks(layers, given)
        self._tell_layers(program, layers, given, tasks)
        if not self.job["list"]:
            for number, task in enumerate(tasks):
                if number not in self.job["done"]:
                    self.begin("layer", number)
                    self.tell("result", number=number, **self._result(task, given))
        self.tell("end")

    def _tasks(self, layers: Layers, given: Given) -> list[tuple[str, Place, Found | Case]]:
        """Cases that are given, and the layers of which none is."""
        places = {found.name: found.place for found in layers.found}
        tasks: list[tuple[str, Place, Found | Case]] = [
            (case.name, places.get(case.name, Place(0)), case) for case in given.cases
        ]
        covered = {case.name for case in given.cases}
        kinds = {id(case.hand) for case in given.cases}
        for found in layers.found:
            hand = found.targets[0].hand(None) if found.targets[0].setup is None else None
            if found.name not in covered and id(hand) not in kinds:
                tasks.append((found.name, found.place, found))
        tasks.sort(key=lambda task: (task[1].cell, task[1].line or 10**9))
        return [task for task in tasks if not self.job["only"] or task[0] in self.job["only"]]

    def _tell_layers(self, program: Program, layers: Layers, given: Given, tasks: Any) -> None:
        self.tell(
            "layers",
            found=[[name, str(place) if place.line else ""] for name, place, _ in tasks],
            others=[[name, str(place), why] for name, place, why in layers.others],
            skipped=[[s.where, s.why] for s in program.skipped],
            troubles=given.troubles,
        )

    def _result(self, task: tuple[str, Place, Found | Case], given: Given) -> dict[str, Any]:
        name, _, what = task
        try:
            if isinstance(what, Case):
                report = compare(
                    what.hand, *what.inputs, title=name, **{**self._options, **what.options}
                )
                return self._told(report, "given by cases")
            return self._examined(what, given.of(name))
        except AutogradError as error:
            return {"status": "not checked", "reason": error.what, "mend": error.mend}
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code
            return {"status": "not checked", "reason": told(error, self.job["path"]), "mend": ""}

    @property
    def _options(self) -> dict[str, Any]:
        return {"fuzz": self.job["fuzz"]}

    def _examined(self, found: Found, given: dict[str, Any]) -> dict[str, Any]:
        """The first of a layer's targets that is right, otherwise the first."""
        first: dict[str, Any] | None = None
        trouble: AutogradError | None = None
        for target in found.targets:
            try:
                inputs = made(target, given, self.job["timeout"] / 3)
                hand, arrays = inputs.make()
                report = compare(hand, *arrays, title=found.name, **self._options)
            except AutogradError as error:
                trouble = trouble or error
                continue
            if report.ok or first is None:
                first = self._told(report, inputs.told)
            if report.ok:
                first = self._otherwise(found, target, given) or first
                break
        if first is None:
            assert trouble is not None
            raise trouble
        return first

    def _otherwise(
        self, found: Found, target: Target, given: dict[str, Any]
    ) -> dict[str, Any] | None:
        """What is wrong with other settings than those defaults that hide mistakes, if anything.

        Numbers alone count: a layer need not run with all settings.
        """
        other = other_settings(target, given)
        if not other:
            return None
        try:
            inputs = made(target, {**given, **other}, self.job["timeout"] / 6)
            hand, arrays = inputs.make()
            report = compare(hand, *arrays, title=found.name, **self._options)
        except AutogradError:
            return None
        wrong = any(row.verdict == "wrong" for row in report.rows)
        return self._told(report, inputs.told) if wrong else None

    def _told(self, report: Comparison, inputs: str) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "status": "right" if report.ok else "wrong",
            "inputs": inputs,
            "reason": _reason(report),
            "text": str(report),
        }
        if self.job["whole"]:
            facts["markdown"] = report.markdown()
            facts["data"] = report.as_dict()
            facts["html"] = page.body(report) + self._picture(report)
        return facts

    def _picture(self, report: Comparison) -> str:
        if report.graph is None or len(report.graph) > _DRAWN:
            return ""
        try:
            svg = draw(report).svg
        except AutogradError:
            return ""
        return f"<figure>{svg[svg.index('<svg') :]}</figure>"


def _arguments(found: Found) -> list[str]:
    """The names of all that a layer and its setup take."""
    return list(dict.fromkeys(s.name for t in found.targets for s in slots_of(t, {})))


def _reason(report: Comparison) -> str:
    """The first thing to know of a report: a cause if one was found, else an error."""
    if report.ok:
        warned = [f for f in report.findings if f.level == "warning" and f.cause]
        return f"but {warned[0].subject}: {warned[0].text}" if warned else ""
    wrong = [f for f in report.findings if f.level == "error"]
    named = [f for f in wrong if f.cause] or wrong
    return f"{named[0].subject}: {named[0].text}" if named else report.verdict
