"""The numba back end: programs equal eager, edge values too, and say what runs where."""

from __future__ import annotations

import gc
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import IndexingError, ShapeError, UnsupportedError
from autograd_lite.graph import Graph, Op
from autograd_lite.modes import using
from autograd_lite.recording import apply
from autograd_lite.rules import OPS
from tests.laws import cases

pytest.importorskip("llvmlite", reason="the extra fast is not installed")
pytest.importorskip("scipy", reason="the extra fast is not installed")

from autograd_lite.compiler.native import machine
from autograd_lite.compiler.native.program import NativeProgram
from autograd_lite.compiler.native.reading import SymbolReader
from autograd_lite.compiler.native.symbols import Symbol
from autograd_lite.compiler.native.values import Values


def compiled(f: Any, *xs: Any, **options: Any) -> Any:
    """A compiled function that was called once: that call's results are the trace's."""
    made = ag.compile(f, backend="numba", **options)
    made(*xs)
    return made


def wanted_as(found: Any, wanted: Any, label: str) -> None:
    """Equal but for the last few digits of what is not +, −, ·, / or a choice."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype), label
    eps = np.finfo(wanted.dtype).eps if wanted.dtype.kind == "f" else 0
    np.testing.assert_allclose(found, wanted, rtol=8 * eps, atol=8 * eps, err_msg=label)


# What NumPy runs between the native parts; all else of the registry is machine code.
BY_NUMPY = {
    "convolution", "convolution_transpose", "convolution_weights", "convolve", "cross", "digamma",
    "erfinv", "gammaln", "i0", "im2col", "ldexp", "norm", "polygamma", "recurrence", "sinc",
    "sliding_dot", "std", "unwrap",
}  # fmt: skip


def all_cases(op: Op) -> tuple[list[Any], list[Any], list[str]]:
    """Inputs, results and labels of an operator's cases, in both precisions, as one graph."""
    inputs: list[Any] = []
    results: list[Any] = []
    labels: list[str] = []
    for case in cases(op).usual:
        for dtype in (np.float64, np.float32):
            arrays = [
                ag.tensor(a) if np.asarray(a).dtype.kind == "f" else a
                for a in case.arrays(case.rng(), dtype)
            ]
            with warnings.catch_warnings(action="ignore"), using(tracing=True):
                made = apply(op, arrays, case.params)
            inputs += [a for a in arrays if isinstance(a, ag.Tensor)]
            for one in made if type(made) is tuple else (made,):
                results.append(one)
                labels.append(f"{case} {np.dtype(dtype)}")
    return inputs, results, labels


COVERED = [
    name for name, op in OPS.items() if op.probe is None and op.kind != "constant" and op.source
]


@pytest.mark.slow
@pytest.mark.parametrize("name", COVERED)
def test_an_operator_gives_what_numpy_gives(name: str) -> None:
    inputs, results, labels = all_cases(OPS[name])
    program = NativeProgram(Graph([one.node for one in results]), [one.node for one in inputs])
    found = program(*(np.asarray(one.data) for one in inputs))
    for one, wanted, label in zip(found, results, labels, strict=True):
        wanted_as(one, wanted.data, label)
    assert bool(program.parts) == (name in BY_NUMPY), [part.reason for part in program.parts]


EDGES = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0, 5e-324, 1e308, -750.0, 710.0, 0.5])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_edge_values_of_pointwise_operators(dtype: Any) -> None:
    """Infinities, NaN, both zeros, the limits of exp, denormal numbers: as NumPy has them."""
    left, right = np.meshgrid(EDGES, EDGES)
    with np.errstate(all="ignore"):
        a, b = left.ravel().astype(dtype), right.ravel().astype(dtype)
    names = [name for name in COVERED if OPS[name].kind == "pointwise" and name not in BY_NUMPY]

    def every(a: Any, b: Any) -> Any:
        return tuple(
            apply(OPS[name], (a, b)[: len(OPS[name].pulls)])
            for name in names if len(OPS[name].pulls) <= 2
        )  # fmt: skip

    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        wanted = every(a, b)
        found = compiled(every, a, b)(a, b)
    eps = np.finfo(dtype).eps
    for name, one, other in zip(names, found, wanted, strict=True):
        if name in ("remainder", "fmod", "sin", "cos", "tan"):
            continue  # of 1e308 NumPy's own differ from platform to platform
        np.testing.assert_allclose(one, other, rtol=8 * eps, atol=0, err_msg=name)


def mlp(x: Any, w: Any, b: Any, v: Any) -> Any:
    return ag.mean((ag.tanh(ag.maximum(x @ w + b, 0)) @ v) ** 2)


def attention(q: Any, k: Any, v: Any) -> Any:
    return ag.sum(ag.softmax(q @ ag.swapaxes(k, -1, -2), axis=-1) @ v)


def normed(x: Any, w: Any, b: Any) -> Any:
    away = x - ag.mean(x, axis=0)
    return ag.sum(ag.exp(away / ag.sqrt(ag.var(x, axis=0) + 1e-5) * w + b) ** 2)


def picked(table: Any, x: Any) -> Any:
    rows = table[np.array([0, 2, 2, -1])]
    return ag.logsumexp(rows @ x) + ag.max(ag.cumsum(rows, axis=1)) + ag.sum(table[:, ::-2] ** 3)


def joined(a: Any, b: Any) -> Any:
    both = ag.concat([a, ag.flip(b, 0)], axis=0)
    return ag.sum(ag.where(both > 0, ag.log1p(ag.abs(both)), both.T.reshape(both.shape) * 2))


COMPOSED = {
    "mlp": (mlp, [(5, 3), (3, 4), (4,), (4, 2)]),
    "large": (mlp, [(33, 65), (65, 70), (70,), (70, 31)]),
    "attention": (attention, [(2, 3, 4), (2, 5, 4), (2, 5, 3)]),
    "norm": (normed, [(6, 4), (4,), (4,)]),
    "pick": (picked, [(3, 4), (4,)]),
    "join": (joined, [(2, 3), (4, 3)]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", COMPOSED)
def test_value_and_gradients_of_whole_functions(
    name: str, dtype: Any, rng: np.random.Generator
) -> None:
    f, shapes = COMPOSED[name]
    xs = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    step = ag.value_and_grad(f, tuple(range(len(xs))))
    program = compiled(step, *xs)
    assert not program.executable.parts
    value, gradients = program(*xs)
    wanted, expected = step(*xs)
    eps = float(np.finfo(dtype).eps)
    assert value.dtype == dtype
    np.testing.assert_allclose(value, wanted, rtol=500 * eps)
    for one, other in zip(gradients, expected, strict=True):
        scale = float(np.max(np.abs(other)))
        np.testing.assert_allclose(one, other, rtol=500 * eps, atol=500 * eps * scale)


def test_what_is_exact_in_numpy_is_the_same_bits() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 7, 9))

    def f(x: Any, y: Any) -> Any:
        return ag.sqrt(ag.abs(x * y - x / y + 3.7)) - ag.maximum(x, y)[0]

    np.testing.assert_array_equal(compiled(f, x, y)(x, y), f(x, y))


def test_numpy_parts_are_told_with_their_reason() -> None:
    x = np.array([[2.0, 1.0], [1.0, 3.0]])

    def f(x: Any) -> Any:
        return ag.exp(ag.linalg.inv(ag.sin(x)) * 2)

    program = compiled(f, x)
    (part,) = program.executable.parts
    assert part.node.op.name == "inv"
    assert "NumPy: inv" in program.source
    np.testing.assert_allclose(program(x), f(x), rtol=1e-13)


def test_conditions_of_a_users_operator_are_left_to_numpy() -> None:
    """A condition of ours is a shortcut; of a user's nothing is known."""

    @ag.primitive(vjp=lambda g, y, x: g)
    def doubled_if_positive(x: Any) -> Any:
        return x * 2 if x.sum() > 0 else x

    program = ag.compile(lambda x: ag.exp(doubled_if_positive(x)), backend="numba")
    for x in (np.array([1.0, 2.0]), np.array([-1.0, -2.0])):
        np.testing.assert_allclose(program(x), np.exp(doubled_if_positive(x)), rtol=1e-15)
    assert [part.node.op.name for part in program.executable.parts] == ["doubled_if_positive"]


def test_what_numpy_gives_between_the_parts_is_taken_as_it_is() -> None:
    """Its own arrays are read where they lie, all others copied; temporaries are used again."""
    fixed = np.arange(900.0).reshape(30, 30)
    kinds: list[Any] = [
        lambda x: x, lambda x: x.T, lambda x: x[::-1], lambda x: x * 2, lambda x: fixed,
        lambda x: np.asfortranarray(x + 1), lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    ]  # fmt: skip
    for kind in kinds:
        rule = ag.primitive(lambda x, f=kind: f(np.array(x)) if np.any(x < 9) else x, vjp=[None])

        def f(x: Any, rule: Any = rule) -> Any:
            made = rule(ag.exp(x) - 1)
            return ag.sin(made) @ made, made, rule(made) + x

        program = ag.compile(f, backend="numba")
        for seed in range(3):
            x = np.random.default_rng(seed).normal(size=(30, 30))
            for found, wanted in zip(program(x), f(x), strict=True):
                np.testing.assert_allclose(found, np.asarray(wanted), rtol=1e-12, atol=1e-12)
        assert program.executable.parts
        assert len(program.executable._arenas.spare) == 1
    np.testing.assert_array_equal(fixed, np.arange(900.0).reshape(30, 30))


def test_a_convolutional_step_is_native_but_for_the_convolution(rng: np.random.Generator) -> None:
    def loss(x: Any, t: Any, w: Any, v: Any) -> Any:
        h = ag.nn.max_pool(ag.nn.relu(ag.nn.convolution(x, w, padding=1)), 2)
        return ag.nn.softmax_cross_entropy(h.reshape(len(x), -1) @ v, t)

    both = ag.value_and_grad(loss, (2, 3))
    data = rng.normal(size=(4, 2, 6, 6)), rng.integers(0, 3, 4)
    weights = rng.normal(size=(5, 2, 3, 3)), rng.normal(size=(45, 3))
    program = compiled(both, *data, *weights)
    told = {part.node.op.name for part in program.executable.parts}
    assert told == {"convolution", "convolution_weights"}
    (value, slopes), (wanted, others) = program(*data, *weights), both(*data, *weights)
    np.testing.assert_allclose(value, wanted, rtol=1e-13)
    for slope, other in zip(slopes, others, strict=True):
        np.testing.assert_allclose(slope, other, rtol=1e-11, atol=1e-13)


def test_machine_code_lives_as_long_as_it_can_be_called() -> None:
    x = np.linspace(0.1, 2, 7)
    calls = [compiled(lambda x, k=k: ag.exp(x) * k, x).executable.direct for k in range(6)]
    gc.collect()
    for k, call in enumerate(calls):
        np.testing.assert_allclose(call(x)[0], np.exp(x) * k, rtol=1e-15)
    del calls, call
    gc.collect()


def test_any_memory_order_and_scalars() -> None:
    def f(x: Any, s: Any) -> Any:
        return x * s, ag.sum(x)

    x = np.arange(12.0).reshape(3, 4)
    program = compiled(f, x, np.float64(2.0))
    for one in (np.asfortranarray(x), x[::-1], np.repeat(x, 2, 1)[:, ::2]):
        y, total = program(one, np.float64(2.0))
        np.testing.assert_array_equal(y, one * 2)
        assert total == one.sum()
    x.flags.writeable = False
    assert program(x, np.float64(3.0))[1] == x.sum()


def test_an_index_out_of_bounds_raises_and_the_next_call_is_right() -> None:
    def f(x: Any, i: Any) -> Any:
        return x[i] * 2.0

    x, i = np.array([1.0, 2.0, 3.0]), np.array([0, -1])
    program = compiled(f, x, i)
    np.testing.assert_array_equal(program(x, i), [2.0, 6.0])
    with pytest.raises((IndexingError, IndexError)):
        program(x, np.array([0, 3]))
    np.testing.assert_array_equal(program(x, i), [2.0, 6.0])


def test_what_an_operator_refuses_the_program_refuses_in_its_words() -> None:
    """The check of labels is machine code too; the error is NumPy's part's."""
    x, labels = np.zeros((3, 4)), np.array([0, 3, 1])
    program = compiled(ag.nn.softmax_cross_entropy, x, labels)
    assert not program.executable.parts
    np.testing.assert_allclose(program(x, labels), np.log(4), rtol=1e-15)
    for wrong in (np.array([0, 4, 1]), np.array([0, -1, 1])):
        with pytest.raises(IndexError, match=f"labels from {wrong.min()} to {wrong.max()}"):
            program(x, wrong)
    np.testing.assert_allclose(program(x, labels), np.log(4), rtol=1e-15)


def test_what_is_refused_is_told_where_an_input_plays_no_part() -> None:
    """The labels are checked all the same."""

    def f(x: Any, unused: Any, labels: Any) -> Any:
        return ag.take_along_axis(x, labels, axis=1)

    x, labels = np.ones((2, 3)), np.array([[0], [2]])
    program = compiled(f, x, np.ones(2), labels)
    with pytest.raises(IndexError, match="out of bounds"):
        program(x, np.ones(2), labels + 1)


def test_shares_less_what_is_picked_are_one_exponential() -> None:
    """Cross-entropy with its gradient; the labels' axis is any."""
    x = np.random.default_rng(0).normal(size=(3, 4, 5)) * 3
    for axis in (1, 2):
        labels = np.argmin(x, axis)
        both = ag.value_and_grad(lambda x, t, k=axis: ag.nn.softmax_cross_entropy(x, t, axis=k))
        program = compiled(both, x, labels)
        assert program.source.count(" = exp(") == 1
        for found, wanted in zip(program(x, labels), both(x, labels), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("refuses_first", [True, False])
def test_a_refusal_is_found_on_either_side_of_a_condition(refuses_first: bool) -> None:
    def raising(x: Any) -> Any:
        if refuses_first:
            if (x < 0).any():
                raise ag.errors.DomainError("a negative one")
            return x * 2
        if (x >= 0).all():
            return x * 2
        raise ag.errors.DomainError("a negative one")

    values = Values()
    given = Symbol(values, values.make("leaf", (3,), np.float64, (), "given"))
    read = SymbolReader(values).read(Op("raising", "general", raising), [given], {})
    assert read.value.facts == "checked"


def test_a_size_that_depends_on_data_is_told_when_it_is_another_one() -> None:
    """One element would be spread over the place of several; the function is compiled anew."""
    program = ag.compile(lambda x: (x[x > 0] ** 2).sum(), backend="numba")
    assert program(np.array([1.0, -1.0, 2.0])) == 5
    machine_code = program.executable
    assert program(np.array([-1.0, 3.0, 2.0])) == 13
    assert program.executable is machine_code
    for other in ([1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]):
        with pytest.raises(UnsupportedError, match="gives another size than when it was compiled"):
            machine_code(np.array(other))
        assert program(np.array(other)) == sum(x**2 for x in other if x > 0)


def test_given_buffers_are_filled_even_where_they_are_inputs(rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(2, 4, 4))

    def f(x: Any, w: Any) -> Any:
        return x @ w, w - x

    executable = compiled(f, x, w).executable
    wanted = f(x, w)
    out = [np.empty((4, 4)), np.empty((4, 4))]
    assert executable(x, w, donate=out)[0] is out[0]
    np.testing.assert_allclose(out[0], wanted[0], rtol=1e-14)
    own = w.copy()
    executable(x, own, donate=[own, out[1]])
    np.testing.assert_allclose(own, wanted[0], rtol=1e-14)
    np.testing.assert_array_equal(out[1], wanted[1])
    with pytest.raises(ShapeError, match=r"donate\[0\] is"):
        executable(x, w, donate=[np.empty((4, 5)), out[1]])
    with pytest.raises(ShapeError, match="donate= has 1 arrays for 2 outputs"):
        executable(x, w, donate=out[:1])
    one = np.empty((4, 8))  # both results in memory that is shared with each other's rows
    executable(x, w, donate=[one[:, ::2], one[:, 1::2]])
    np.testing.assert_allclose(one[:, ::2], wanted[0], rtol=1e-14)
    np.testing.assert_array_equal(one[:, 1::2], wanted[1])


def test_a_call_is_told_by_its_arrays_whoever_looks_at_them() -> None:
    """Machine code holds arrays against what it was made for; another kind is traced anew."""
    f = ag.compile(lambda x, s: (x * 2 + s, x.sum()), backend="numba", limit=64)
    x = np.arange(6.0).reshape(2, 3)
    kinds = [
        x, np.asfortranarray(x), x[::-1], x[:, ::-1], np.repeat(x, 2, 1)[:, ::2], x[:0], x.T,
        x.astype(np.float32), x.astype(np.float32).T, x.astype(">f8"), x.astype(int), x > 2,
        np.array(3.0), np.float64(3.0), np.array([[np.nan, np.inf, -np.inf]]),
    ]  # fmt: skip
    for scale in (np.array(0.5), np.float32(2.0)):
        for one in (*kinds, *kinds[::-1]):
            with np.errstate(all="ignore"):
                wanted = one * 2 + scale, one.sum()
            for found, other in zip(f(one, scale), wanted, strict=True):
                np.testing.assert_array_equal(found, other)
                assert np.shape(found) == np.shape(other)
    with pytest.raises(ag.errors.DTypeError):
        f(np.array(["a"]), np.float32(2.0))


def test_results_share_no_memory(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 3))

    def f(x: Any) -> Any:
        return x, x.T, x * 1.0, x * 1.0

    results = compiled(f, x)(x)
    for i, one in enumerate(results):
        assert one.flags.writeable
        assert not np.shares_memory(one, x)
        assert not any(np.shares_memory(one, other) for other in results[i + 1 :])


def test_threads_share_a_program(rng: np.random.Generator) -> None:
    xs = [rng.normal(size=(40, 50)) for _ in range(4)]
    f = ag.compile(lambda x: ag.sum(ag.exp(x), axis=0) @ x.T, backend="numba")
    wanted = [f(x) for x in xs]
    wrong: list[int] = []

    def work(i: int) -> None:
        wrong.extend(i for _ in range(50) if not np.array_equal(f(xs[i]), wanted[i]))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.mark.parametrize(
    "f",
    [
        ag.exp, ag.log, ag.tanh, ag.sigmoid, ag.softmax, lambda x: ag.sum(x, axis=1),
        lambda x: ag.max(x, axis=1), lambda x: ag.sum(x, axis=0),
        ag.grad(lambda x: ag.sum(ag.nn.relu(x) ** 2)),
    ],
)  # fmt: skip
def test_loops_are_vectorised(f: Any) -> None:
    x = np.ones((64, 256), np.float32)
    module = machine.optimised(compiled(f, x).executable.llvm)
    assert re.search(r"<(4|8|16) x float>", str(module))


def test_a_thousand_nodes_compile_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0.1, 1, 64)

    def f(x: Any) -> Any:
        y = x
        for i in range(330):
            y = ag.sin(y) * (1 + 0.001 * i) + x
        return ag.sum(y)

    graph = compiled(ag.value_and_grad(f), x).program
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", "")
    before = time.process_time()  # other processes do not count
    NativeProgram(graph.graph, graph.inputs)
    assert time.process_time() - before < 10
    assert len(graph.graph) > 1000
    program = ag.compile(ag.value_and_grad(f), backend="numba")
    np.testing.assert_allclose(program(x)[1], ag.grad(f)(x), rtol=1e-9)


# the cache


def cached(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_machine_code_is_kept_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(folder))
    x = np.ones(5)
    assert not compiled(lambda x: ag.exp(x) + 1.25, x).executable.from_cache
    (file,) = cached(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert compiled(lambda x: ag.exp(x) + 1.25, x).executable.from_cache
    file.write_bytes(b"spoilt" + file.read_bytes())
    again = compiled(lambda x: ag.exp(x) + 1.25, x)
    assert not again.executable.from_cache
    np.testing.assert_allclose(again(x), np.exp(x) + 1.25)


def test_a_cache_that_others_can_write_to_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path))
    x = np.ones(3)
    compiled(lambda x: x * 3.5, x)
    tmp_path.chmod(0o777)
    assert not compiled(lambda x: x * 3.5, x).executable.from_cache


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", "")
    assert machine.cache_folder() is None
    monkeypatch.delenv("AUTOGRAD_LITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert machine.cache_folder() == tmp_path / "autograd_lite" / "native"


def test_code_for_another_processor_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path / "kept"))
    x = np.ones(3)
    compiled(lambda x: x * 4.5, x)
    known = machine._versions()
    monkeypatch.setattr(machine, "_versions", lambda: (*known[:2], "another", *known[3:]))
    assert not compiled(lambda x: x * 4.5, x).executable.from_cache
    assert len(cached(tmp_path / "kept")) == 2


def test_without_a_place_to_write_programs_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.ones(3)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path / "file" / "below"))
    np.testing.assert_array_equal(compiled(lambda x: x * 5.5, x)(x), [5.5] * 3)
    folder = tmp_path / "read_only"
    folder.mkdir(mode=0o500)
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(folder))
    np.testing.assert_array_equal(compiled(lambda x: x * 6.5, x)(x), [6.5] * 3)


def test_two_processes_fill_one_cache(tmp_path: Path) -> None:
    """Each file is there whole or not at all, whoever comes first."""
    code = """if True:
        import numpy as np
        import autograd_lite as ag
        x = np.ones(4)
        for k in range(6):
            f = ag.compile(lambda x: ag.exp(x) * (k + 0.125), backend="numba")
            f(x)
            assert np.allclose(f(x), np.exp(1) * (k + 0.125), rtol=1e-15)
    """
    folder = tmp_path / "shared"
    environment = {**os.environ, "AUTOGRAD_LITE_CACHE": str(folder)}
    running = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(3)]
    assert [one.wait(120) for one in running] == [0, 0, 0]
    assert len(cached(folder)) == 6
    for file in cached(folder):
        mark, machine_code = file.read_bytes()[:32], file.read_bytes()[32:]
        assert hashlib.sha256(machine_code).digest() == mark


# calls that are not as usual


def test_inputs_of_the_other_byte_order(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    program = compiled(lambda x: ag.exp(x) @ x.T, x)
    swapped = x.astype(x.dtype.newbyteorder())
    np.testing.assert_array_equal(program(swapped), program(x))


def test_one_buffer_given_twice_is_not_mixed_up(rng: np.random.Generator) -> None:
    """The last output that lies in a buffer is what it holds."""
    x = rng.normal(size=(4, 4))
    executable = compiled(lambda x: (x * 2, x + 1), x).executable
    buffer = np.empty((4, 4))
    executable(x, donate=[buffer, buffer])
    np.testing.assert_array_equal(buffer, x + 1)
    whole = np.zeros((5, 4))
    executable(x, donate=[whole[:4], whole[1:]])
    np.testing.assert_array_equal(whole[1:], x + 1)
    turned = np.empty((4, 4)).T
    executable(x, donate=[turned, buffer])
    np.testing.assert_array_equal(turned, x * 2)


def test_after_an_exception_inside_a_call_the_next_is_right() -> None:
    """NumPy's part raises for a singular matrix; nothing is kept of that call."""
    program = compiled(lambda x: ag.exp(ag.linalg.inv(x * 2)) + 1, np.eye(3))
    wanted = program(np.eye(3) * 3)
    with pytest.raises(np.linalg.LinAlgError):
        program(np.zeros((3, 3)))
    np.testing.assert_array_equal(program(np.eye(3) * 3), wanted)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="takes no fast="):
        compiled(lambda x: x, np.ones(2), fast=True)
