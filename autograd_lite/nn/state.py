"""The state of layers as flat dicts of arrays, and files of them.

Files are npz (or safetensors, an extra), never pickle: reading one runs nothing of it. A file is
written whole or not at all, and the same state gives the same bytes. Imports errors, layer, NumPy.
"""

import contextlib
import io
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, ShapeError, require
from autograd_lite.graph import visible
from autograd_lite.nn.layer import Layer
from autograd_lite.tensors import plain_value

__all__ = ["load", "load_state", "save", "state"]

_MOST_ENTRIES = 100_000


def state(layer: Layer) -> dict[str, Any]:
    """All that a layer has learnt, parameters and buffers, as copies by their paths.

    >>> import autograd_lite as ag
    >>> ag.nn.state(ag.nn.Sequential(ag.nn.Affine([[1.0]], [2.0])))
    {'0.W': array([[1.]]), '0.b': array([2.])}
    """
    values = {name: np.array(plain_value(part)) for name, part in layer.parameters().items()}
    return values | {name: np.array(part.value) for name, part in layer.buffers().items()}


def load_state(layer: Layer, values: Mapping[str, Any]) -> None:
    """Give a layer the state of another: every name must be there, and fit.

    All is checked before anything changes. Raises ``DomainError`` for names that are missing or
    too many, ``ShapeError`` for another shape, ``DTypeError`` where digits would be lost.

    >>> import autograd_lite as ag
    >>> one, other = ag.nn.Affine([[1.0]], [2.0]), ag.nn.Affine([[0.0]], [0.0])
    >>> ag.nn.load_state(other, ag.nn.state(one))
    >>> other.W
    Tensor([[1.]], name='W')
    """
    parameters, buffers = layer.parameters(), layer.buffers()
    wanted = {name: part.data for name, part in parameters.items()}
    wanted |= {name: part.value for name, part in buffers.items()}
    if wanted.keys() != values.keys():
        missing = ", ".join(map(visible, sorted(wanted.keys() - values.keys()))) or "nothing"
        more = ", ".join(map(visible, sorted(values.keys() - wanted.keys()))) or "nothing"
        raise DomainError(
            f"this state is not that of the layer: missing {missing}; too much: {more}",
            mend="make the layer as it was when its state was saved",
        )
    arrays = {name: np.asarray(plain_value(value)) for name, value in values.items()}
    for name, array in arrays.items():
        if array.shape != wanted[name].shape:
            raise ShapeError(
                f"{visible(name)} has shape {wanted[name].shape}, the state {array.shape}",
                mend="make the layer as it was when its state was saved",
            )
        if not np.can_cast(array.dtype, wanted[name].dtype, "safe"):
            raise DTypeError(
                f"{visible(name)} is {wanted[name].dtype}, the state {array.dtype}: digits would "
                "be lost",
                mend="make the layer in that dtype, or astype the state",
            )
    for name, tensor in parameters.items():
        tensor.data = arrays[name]
    for name, buffer in buffers.items():
        buffer.value = arrays[name]


# files


def save(path: Any, what: Layer | Mapping[Any, Any]) -> None:
    """Write a layer's state, or a dict of arrays, to a file: .npz or .safetensors by its suffix.

    The file appears whole or not at all, and depends on names and values alone. safetensors needs
    the extra of that name.

    >>> import tempfile, pathlib
    >>> import autograd_lite as ag
    >>> path = pathlib.Path(tempfile.mkdtemp(), "net.npz")
    >>> ag.nn.save(path, ag.nn.Affine([[1.0]], [2.0]))
    >>> ag.nn.load(path)
    {'W': array([[1.]]), 'b': array([2.])}
    """
    path = Path(path)
    values: Mapping[Any, Any] = state(what) if isinstance(what, Layer) else what
    arrays = {name: np.asarray(plain_value(value)) for name, value in values.items()}
    for name, array in arrays.items():
        if not isinstance(name, str) or not name or "\0" in name:
            raise DomainError(f"an entry is named {name!r}", mend="names are strings")
        if array.dtype.kind not in "biufc":
            raise DTypeError(
                f"{visible(name)} has dtype {array.dtype}", mend="save numbers, nothing else"
            )
    _write(path, _encoders()[_suffix(path)](arrays))


def load(path: Any, *, limit: int = 1 << 34) -> dict[str, Any]:
    """The arrays of a file that ``save`` wrote (or NumPy's ``savez``, or safetensors).

    Nothing of the file is run. Before anything is read its parts are held against ``limit``
    bytes, and names against each other; what is broken is refused with ``DomainError``.
    """
    path = Path(path)
    suffix = _suffix(path)
    size = path.stat().st_size
    if size > limit:
        raise DomainError(f"the file has {size} bytes", mend="raise limit=, if you trust it")
    return _from_npz(path, limit) if suffix == ".npz" else _from_safetensors(path)


def _suffix(path: Path) -> str:
    if path.suffix not in _encoders():
        raise DomainError(f"a file named {visible(path.name)}", mend="name it .npz or .safetensors")
    return path.suffix


def _encoders() -> dict[str, Any]:
    return {".npz": _npz, ".safetensors": _safetensors}


def _npz(arrays: Mapping[str, Any]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name in sorted(arrays):
            # a fixed date: the same state gives the same bytes
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asarray(arrays[name]), allow_pickle=False)
    return memory.getvalue()


def _safetensors(arrays: Mapping[str, Any]) -> bytes:
    library = require("safetensors.numpy", "safetensors")
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    encoded: bytes = library.save(ordered)
    return encoded


def _write(path: Path, content: bytes) -> None:
    """All bytes or none: beside the file first, then in its place in one step."""
    handle, beside = tempfile.mkstemp(prefix=".saving-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(beside).chmod(0o666 & ~mask)  # mkstemp lets nobody else read; a plain file is usual
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(beside).unlink()
        raise


def _from_npz(path: Path, limit: int) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(entries) > _MOST_ENTRIES or len(set(names)) != len(names):
                raise ValueError("too many entries, or two of one name")
            if any(not name.endswith(".npy") for name in names):
                raise ValueError("an entry that is no array")
            if sum(entry.file_size for entry in entries) > limit:
                raise ValueError(f"more than {limit} bytes when unpacked; limit= allows more")
            return {
                entry.filename.removesuffix(".npy"): _entry(archive, entry) for entry in entries
            }
    except (
        ValueError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        NotImplementedError,
        SyntaxError,
    ) as e:
        if isinstance(e, FileNotFoundError):
            raise
        raise _broken(path, e) from e


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Any:
    with archive.open(entry) as part:
        version = np.lib.format.read_magic(part)
        read: Any = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f"version {version} of the array format")
        shape, fortran, dtype = read(part)
        if dtype.kind not in "biufc":
            raise ValueError(f"dtype {dtype}")
        size = math.prod(shape) * dtype.itemsize
        if entry.file_size - part.tell() != size or min(shape, default=0) < 0:
            raise ValueError("its length is not that of its shape")
        content = part.read(size)
        if len(content) != size:
            raise ValueError("it is cut short")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    return np.array(array, order="C")


def _from_safetensors(path: Path) -> dict[str, Any]:
    library = require("safetensors.numpy", "safetensors")
    try:
        values: dict[str, Any] = library.load(path.read_bytes())
    except FileNotFoundError:
        raise
    except Exception as error:
        raise _broken(path, error) from error
    return {name: np.array(value) for name, value in values.items()}


def _broken(path: Path, error: Exception) -> DomainError:
    return DomainError(
        f"{visible(path.name)} is not a file of arrays: {visible(str(error), 200)}",
        mend="save it anew; ag.nn.save writes it whole or not at all",
    )
