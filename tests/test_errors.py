"""Messages are part of the interface: what, where, how to mend it, and the user's own line."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import errors
from autograd_lite.errors import AutogradError, Source

CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, AutogradError) and cls is not AutogradError
]


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_is_also_of_pythons_own_kind(cls: type[AutogradError]) -> None:
    python = [base for base in cls.__mro__ if base.__module__ in ("builtins", "numpy.exceptions")]
    assert python[0] not in (Exception, BaseException, object)
    assert cls.__doc__
    assert cls.__name__ in errors.__all__


def test_the_parts_of_a_message() -> None:
    error = errors.ShapeError("two shapes", where="a (2,)\nb (3,)", mend="transpose b")
    lines = str(error).splitlines()
    assert lines[:3] == ["two shapes", "  a (2,)", "  b (3,)"]
    assert lines[3].startswith(f"  at {__file__}:")
    assert lines[3].endswith(
        'errors.ShapeError("two shapes", where="a (2,)\\nb (3,)", mend="transpose b")'
    )
    assert lines[4] == "  mend: transpose b"
    assert isinstance(error, ValueError)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(twin) is errors.ShapeError
        assert str(twin) == str(error)
        assert twin.source == error.source
    axis = errors.AxisError("axis 3")
    assert str(pickle.loads(pickle.dumps(axis))) == str(axis)


def test_sources() -> None:
    source = Source.of(test_sources.__code__, 0)
    assert source.file == __file__
    assert str(source) == f"{__file__}:{source.line}"
    assert Source("no such file", 3, "f").text == ""


def test_require() -> None:
    assert errors.require("math", "all").pi > 3
    with pytest.raises(errors.MissingExtraError, match=r"pip install 'autograd-lite\[draw\]'"):
        errors.require("no_such_package_at_all", "draw")


x, m = ag.tensor([1.0, 2.0], name="x"), ag.tensor(np.ones((2, 3)), name="m")
MESSAGES: list[tuple[Callable[[], Any], type[Exception], list[str]]] = [
    (lambda: x + np.ones(3), ValueError, ["add", "(2,)", "(3,)", "x (2,)", "mend:"]),
    (lambda: m @ m, ValueError, ["matmul", "m (2, 3)", "transpose", "mend:"]),
    (lambda: x.sum(axis=1), np.exceptions.AxisError, ["axis 1", "1 dimension", "mend:"]),
    (lambda: x.sum(axis=1.0), TypeError, ["an axis is an integer", "float"]),
    (lambda: m.sum(axis=(0, 0)), ValueError, ["twice"]),
    (lambda: m.sum(axis="0"), TypeError, ["an axis is an integer", "str"]),
    (lambda: x.reshape(3), ValueError, ["2 elements", "(3,)"]),
    (lambda: x.reshape(2.0), TypeError, ["integers"]),
    (lambda: x.reshape("a"), TypeError, ["integers"]),
    (lambda: x.reshape(-1, -1), ValueError, ["(-1, -1)"]),
    (lambda: m.transpose(0, 0), ValueError, ["twice"]),
    (lambda: m.transpose((0,)), ValueError, ["axes"]),
    (lambda: m.squeeze(0), ValueError, ["not of size 1"]),
    (lambda: ag.broadcast_to(x, (3,)), ValueError, ["(2,)", "(3,)"]),
    (lambda: ag.concat([]), ValueError, ["nothing to join"]),
    (lambda: ag.concat([x, m]), ValueError, ["dimension"]),
    (lambda: ag.stack([x, np.ones(3)]), ValueError, ["shape"]),
    (lambda: x[5], IndexError, ["out of bounds", "x"]),
    (lambda: x[1.0], IndexError, ["float64", "integers"]),
    (lambda: x["a"], IndexError, ["integers"]),
    (lambda: x[0, 0], IndexError, ["too many indices"]),
    (lambda: x[[True, False, True]], IndexError, ["boolean"]),
    (lambda: ag.set(x, 0, [1.0, 2.0, 3.0]), ValueError, ["set"]),
    (lambda: x + "a", TypeError, ["add", "str", "operands are"]),
    (lambda: x + None, TypeError, ["add", "NoneType"]),
    (lambda: ag.exp(object()), TypeError, ["exp", "object"]),
    (lambda: x * [object()], TypeError, ["object"]),
    (x.item, ValueError, ["2 elements", ".numpy()"]),
    (lambda: len(ag.tensor(1.0)), ValueError, ["0-d"]),
    (lambda: list(ag.tensor(1.0)), ValueError, ["0-d"]),
    (lambda: ag.max(ag.tensor(np.zeros(0))), ValueError, ["max", "zero-size"]),
    (lambda: ag.tensor([1.0], dtype="int32"), TypeError, ["floating", "ag.constant"]),
    (lambda: ag.grad(lambda t: t, 5)(1.0), RuntimeError, ["argnums=5", "1 positional"]),
    (lambda: ag.grad(lambda t: t, "t")(1.0), RuntimeError, ["argnums='t'"]),
    (lambda: ag.grad(lambda t: None)(1.0), RuntimeError, ["NoneType"]),
    (lambda: ag.grad(lambda t: t, has_aux=True)(1.0), RuntimeError, ["has_aux=True", "pair"]),
    (lambda: ag.vjp(lambda t: None, 1.0), RuntimeError, ["NoneType"]),
    (lambda: ag.jvp(lambda t: "a", [1.0], [1.0]), RuntimeError, ["str"]),
    (lambda: ag.jvp(lambda t: t, np.ones(2), np.ones(2)), ValueError, ["tuple or list"]),
    (lambda: ag.jacobian(lambda t: (t, t))(1.0), RuntimeError, ["tuple", "jacobian"]),
    (lambda: ag.hessian(lambda t: t * 2)(np.ones(2)), RuntimeError, ["(2,)"]),
    (lambda: ag.gradients(x.sum(), [np.ones(2)]), RuntimeError, ["not tracked"]),
    (lambda: ag.gradients([x], [x]), RuntimeError, ["a list"]),
    (lambda: setattr(x, "grad", np.ones(3)), ValueError, ["(3,)"]),
    (lambda: setattr(ag.parameter([1.0]), "data", [1.0, 2.0]), ValueError, ["(2,)"]),
    (lambda: setattr(x, "data", [1.0, 2.0]), TypeError, ["only a parameter"]),
    (lambda: ag.constant([1.0]).keep_grad(), RuntimeError, ["constant"]),
    (lambda: np.argmax(m, axis=(0, 1)), TypeError, ["an axis is an integer", "mend:"]),
    (lambda: np.argmin(m, axis=(1, 0)), TypeError, ["an axis is an integer", "mend:"]),
    (lambda: np.histogramdd(m), TypeError, ["histogramdd", "mend:"]),
    (lambda: np.sum(x, out=np.zeros(())), TypeError, ["out=", "use the result"]),
    (lambda: ag.logical_and(x > 0, x > 0, np.zeros(2, bool)), TypeError, ["2 arrays"]),
    (lambda: np.add.reduce(x), TypeError, ["ag.sum"]),
    (lambda: ag.nn.affine(x, np.ones((3, 2)), np.ones(2)), ValueError, ["affine", "(3, 2)"]),
]


@pytest.mark.parametrize("number", range(len(MESSAGES)))
def test_a_wrong_call_is_told(number: int) -> None:
    """A specific error with the words that matter and the line of the call."""
    call, kind, words = MESSAGES[number]
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert isinstance(error, AutogradError), repr(error)
    for word in words:
        assert word in str(error), f"{word!r} is not in: {error}"
    assert error.source is not None
    assert error.source.file == __file__
    assert error.mend or error.__cause__, f"no advice: {error}"


def test_exact_messages() -> None:
    with pytest.raises(errors.ShapeError) as caught:
        x + np.ones(3)
    line = caught.value.source.line if caught.value.source else 0
    assert str(caught.value) == (
        "add: shapes (2,) and (3,) do not fit\n"
        "  a: x (2,) float64\n"
        "  b: (3,) float64\n"
        f"  at {__file__}:{line}:  x + np.ones(3)\n"
        "  mend: shapes are aligned at the right: two sizes must be equal or one of them 1"
    )
    with pytest.raises(errors.GradientError) as refused:
        (x * 2).backward()
    line = refused.value.source.line if refused.value.source else 0
    assert str(refused.value) == (
        "a derivative of 2 numbers needs to know how they are weighed\n"
        "  the output has shape (2,)\n"
        f"  at {__file__}:{line}:  (x * 2).backward()\n"
        "  mend: sum it (y.sum()), or give cotangent=array of that shape"
    )


def test_a_message_never_prints_data() -> None:
    secret = ag.tensor(np.full(4, 0.123456789), name="weights")
    other = np.full(3, 0.987654321)
    with pytest.raises(errors.ShapeError) as caught:
        secret + other
    assert "0.1234" not in str(caught.value)
    assert "0.9876" not in str(caught.value)


class Hostile:
    """An object whose repr does harm."""

    def __repr__(self) -> str:
        raise RuntimeError("called")


def test_no_foreign_repr_is_called() -> None:
    for call in (lambda: x + Hostile(), lambda: ag.tensor(Hostile()), lambda: x[Hostile()]):
        with pytest.raises(AutogradError):
            call()
