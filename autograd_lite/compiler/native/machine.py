"""LLVM: text to machine code, kept on disk, and called from Python without a detour.

The compiled function is a builtin of Python: it gets the array objects themselves, holds them
against what was compiled for, and runs. Where Python's or NumPy's objects do not lie in memory as
expected (checked once), or an array is not as expected, it says so and nothing runs. Knows LLVM,
CPython's and NumPy's binary layouts, and the cache. Does not know values. Imports errors, NumPy.
"""

import contextlib
import ctypes
import ctypes.util
import functools
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.errors import require

__all__ = ["builtin", "cache_folder", "compiled", "layout_is_known", "optimised"]


@functools.cache
def _llvm() -> Any:
    llvm = require("llvmlite.binding", "fast")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _new_target() -> Any:
    llvm = _llvm()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3, reloc="pic", codemodel="jitdefault",
    )  # fmt: skip


_target = functools.cache(_new_target)
"""The one that optimises; each engine owns one of its own."""


def optimised(text: str) -> Any:
    """A module of LLVM's text, verified and optimised."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_interleaving = True
    builder = llvm.create_pass_builder(_target(), tuning)
    builder.getModulePassManager().run(module, builder)
    return module


def compiled(text: str, symbols: Iterable[str]) -> tuple[Callable[[str], int], bool]:
    """The addresses of the functions of a text by name, and whether it came from the cache.

    ``symbols`` names the functions that the text calls.
    """
    llvm = _llvm()
    for name in symbols:
        llvm.add_symbol(name, _address(name))
    key = hashlib.sha256("\0".join((*_versions(), text)).encode()).hexdigest()
    known = _from_disk(key)
    machine_code = known if known is not None else bytes(_target().emit_object(optimised(text)))
    if known is None:
        _to_disk(key, machine_code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _new_target())
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(machine_code))
    engine.finalize_object()

    def address(name: str) -> int:
        found: int = engine.get_function_address(name)
        assert found, name
        return found

    return address, known is not None


@functools.cache
def _versions() -> tuple[str, ...]:
    """What machine code depends on beside the text."""
    llvm = _llvm()
    return (
        "2", require("llvmlite", "fast").__version__, llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(), sys.version, np.__version__, platform.platform(),
    )  # fmt: skip


# functions from outside


@functools.cache
def _address(name: str) -> int:
    if name.startswith("Py"):
        return _pointer(getattr(ctypes.pythonapi, name))
    if name.endswith("gemm_"):
        return _of_blas(name)
    library = ctypes.CDLL(ctypes.util.find_library("m") or None)
    return _pointer(getattr(library, name))


_BLAS_NAMES = ("scipy_{}64_", "{}64_", "{}")


def _of_blas(name: str) -> int:
    """NumPy's own BLAS, whose threads run already, where its module tells it; else SciPy's.

    Both take addresses of integers, of 64 or 32 bits: low bits come first, so 64 serve for both.
    """
    with contextlib.suppress(OSError, KeyError):
        library = ctypes.CDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
        for pattern in _BLAS_NAMES:
            function = getattr(library, pattern.format(name), None)
            if function is not None and sys.byteorder == "little":
                return _pointer(function)
    capsule = require("scipy.linalg.cython_blas", "fast").__pyx_capi__[name[:-1]]
    return _in_capsule(capsule)


def _pointer(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address
    return address


def _in_capsule(capsule: Any) -> int:
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    assert address
    return int(address)


# the cache


def cache_folder() -> Path | None:
    """Where machine code is kept: ``AUTOGRAD_LITE_CACHE``, or the user's cache; None for nowhere.

    ``AUTOGRAD_LITE_CACHE=`` (empty) turns it off.
    """
    chosen = os.environ.get("AUTOGRAD_LITE_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "autograd_lite" / "native"
    except RuntimeError:  # a user without a home
        return None


def _is_ours(path: Path) -> bool:
    """Whether nobody else can have written there."""
    if not hasattr(os, "getuid"):
        return True
    facts = path.stat()
    return facts.st_uid == os.getuid() and not facts.st_mode & 0o022


def _from_disk(key: str) -> bytes | None:
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / key
    try:
        if not (_is_ours(folder) and _is_ours(path)):
            return None
        data = path.read_bytes()
    except OSError:
        return None
    mark, machine_code = data[:32], data[32:]
    return machine_code if hashlib.sha256(machine_code).digest() == mark else None


def _to_disk(key: str, machine_code: bytes) -> None:
    """Keep it, whole or not at all; without a place to write to programs work too."""
    folder = cache_folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(folder):
            return
        handle, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(machine_code).digest() + machine_code)
            Path(name).replace(folder / key)
        except OSError:
            Path(name).unlink()


# Python


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]  # fmt: skip


_FASTCALL = 0x80


def builtin(address: int, name: str, bound: Any, needed: Any) -> Callable[..., Any]:
    """The function at an address as a builtin of Python; what it needs lives as long as it does.

    It is called as ``PyObject *f(PyObject *bound, PyObject **args, Py_ssize_t n)``. What is needed
    (the definition is: Python reads it when the function goes) stands in the place of its module.
    """
    definition = _MethodDef(name.encode(), address, _FASTCALL, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    made: Callable[..., Any] = make(ctypes.addressof(definition), bound, (definition, needed))
    return made


@functools.cache
def layout_is_known() -> bool:
    """Whether Python's objects and NumPy's arrays lie in memory as the entry reads them."""
    if platform.python_implementation() != "CPython" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    array = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    words = (ctypes.c_size_t * 9).from_address(id(array))
    sizes = (ctypes.c_ssize_t * 2).from_address(words[4])
    steps = (ctypes.c_ssize_t * 2).from_address(words[5])
    return (
        words[1] == id(np.ndarray)
        and words[2] == array.ctypes.data
        and words[3] & 0xFFFFFFFF == array.ndim
        and tuple(sizes) == array.shape
        and tuple(steps) == array.strides
        and words[7] == id(array.dtype)
        and words[8] & 0x501 == array.flags.num & 0x501
    )
