"""Stand-ins for modules that are not installed: a file goes on without them.

Knows: that importing them must succeed once it has failed, and that any use of them must fail with
their name, so that what needs them is told apart from what does not; that while another module is
imported a use goes through, so that `plt.style.use(…)` at its top does not take all of it away.
Does not know: files, layers.
Imports: the standard library alone.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["StandIns"]


class StandIns(MetaPathFinder, Loader):
    """Gives a stand-in for every module whose first name is in `names`."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        _StandIn.lenient = False

    def add(self, name: str) -> bool:
        """Stand in for a package from now on; False where that was so already."""
        root = name.partition(".")[0]
        if root in self.names:
            return False
        self.names.add(root)
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        return True

    @contextlib.contextmanager
    def lenient(self) -> Iterator[None]:
        """Inside, uses of a stand-in give another one."""
        _StandIn.lenient = True
        try:
            yield
        finally:
            _StandIn.lenient = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of a stand-in, None for all other modules."""
        if fullname.partition(".")[0] not in self.names:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module whose every name is a stand-in."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn(f"{self.__name__}.{name}")


class _StandIn:
    """Anything out of a missing module: it may be named, and not used."""

    lenient = False

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn(f"{self._path}.{name}")

    def _used(self, *args: Any, **kwargs: Any) -> Any:
        if _StandIn.lenient:
            return _StandIn(f"{self._path}()")
        root = self._path.partition(".")[0]
        raise ModuleNotFoundError(f"{self._path} was used, and {root} is not installed", name=root)

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        """No base in its place, while that goes through."""
        self._used()
        return ()

    __call__ = __getitem__ = __iter__ = __enter__ = __len__ = _used
    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __truediv__ = __matmul__ = _used
