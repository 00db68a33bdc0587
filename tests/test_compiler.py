"""ag.compile: the same results as the function itself, whatever it reads and writes."""

from __future__ import annotations

import copy
import itertools
import pickle
import random
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.numpy_code.lowering import FIRST, LAWS
from autograd_lite.compiler.passes import FACTORS, PASSES
from autograd_lite.rewrite import Law, rewritten
from tests.test_rewrite import EDGES


def network(rng: np.random.Generator) -> Any:
    return ag.nn.Sequential(
        ag.nn.Affine(rng.normal(size=(2, 8)), np.zeros(8)),
        ag.nn.ReLU(),
        ag.nn.BatchNorm.initialised(8),
        ag.nn.Dropout(0.5, rng=3),
        ag.nn.Affine(rng.normal(size=(8, 3)), np.zeros(3)),
    )


def trained(compiled: bool) -> list[Any]:
    """Losses, parameters, running statistics and the optimizer's state after ten steps."""
    net = network(np.random.default_rng(1))
    optimizer = ag.optim.Adam(net, rate=ag.optim.cosine(0.1, 20))

    def step(x: Any, t: Any) -> Any:
        optimizer.zero_grad()
        loss = ag.nn.softmax_cross_entropy(net(x), t)
        loss.backward()
        optimizer.step()
        return loss

    run = ag.compile(step) if compiled else step
    data = np.random.default_rng(2)
    seen = [run(data.normal(size=(16, 2)), data.integers(0, 3, 16)).item() for _ in range(10)]
    return [seen, *ag.nn.state(net).values(), *optimizer.state().values()]


def test_a_training_step_equals_the_eager_one() -> None:
    """Batch statistics, dropout's draws, Adam's moments and the schedule: all as in eager."""
    for one, other in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_draws_are_fresh_in_every_call() -> None:
    rng, twin = ag.random.default_rng(7), ag.random.default_rng(7)
    drawn = ag.compile(lambda x: x + rng.normal(size=3))
    x = np.zeros(3)
    for _ in range(3):
        np.testing.assert_array_equal(drawn(x).data, twin.normal(size=3).data)


def test_current_values_of_parameters() -> None:
    w = ag.parameter([1.0, 2.0])
    f = ag.compile(lambda x: (w * x).sum())
    assert f(np.ones(2)).item() == 3
    w.data = [3.0, 4.0]
    assert f(np.ones(2)).item() == 7


def test_evaluate_traces_anew() -> None:
    net = network(np.random.default_rng(1))
    f = ag.compile(net)
    x = np.random.default_rng(0).normal(size=(4, 2))
    f(x)
    net.evaluate()
    np.testing.assert_array_equal(f(x).data, net(x).data)
    np.testing.assert_array_equal(f(x).data, net(x).data)


def test_derivatives_of_a_compiled_function() -> None:
    w = ag.parameter([[1.0, 2.0], [3.0, 4.0]])

    def f(x: Any) -> Any:
        return ag.tanh(x @ w).sum()

    compiled = ag.compile(f)
    x = np.array([0.1, 0.2])
    np.testing.assert_allclose(ag.grad(compiled)(x), ag.grad(f)(x), rtol=1e-14)
    along = ag.grad(ag.grad(lambda s: compiled(x * s)))(0.3)
    np.testing.assert_allclose(along, ag.grad(ag.grad(lambda s: f(x * s)))(0.3), rtol=1e-13)
    np.testing.assert_allclose(ag.hessian(compiled)(x), ag.hessian(f)(x), rtol=1e-12)
    compiled(x).backward()
    got = w.grad
    w.zero_grad()
    f(x).backward()
    np.testing.assert_allclose(got, w.grad, rtol=1e-14)
    assert ag.jvp(compiled, [x], [x])[1] == ag.jvp(f, [x], [x])[1]


def test_arrays_give_arrays_and_tensors_give_tensors() -> None:
    f = ag.compile(lambda x: {"a": x * 2, "b": (x.sum(), 3, None)})
    x = np.ones(2)
    got = f(x)
    assert type(got["a"]) is np.ndarray
    assert type(got["b"][0]) is np.float64
    assert got["b"][1:] == (3, None)
    assert type(f(ag.constant(x))["a"]) is ag.Tensor


def test_results_are_the_callers_own() -> None:
    held = np.ones(3)
    f = ag.compile(lambda x: (x, x.reshape(1, 3), x * 1, held))
    x = np.ones(3)
    first = f(x)
    for array in first:
        assert array.flags.writeable
        array[...] = 5
    assert x.tolist() == [1, 1, 1]
    for array in f(x):
        assert array.reshape(-1).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x[0]),
        lambda x: x * np.asarray(x),
        lambda x: x * x[0].item(),
        lambda x: x[int(x[0])],
    ],
)
def test_a_branch_on_values_raises_with_its_line(f: Any) -> None:
    with pytest.raises(ag.errors.DetachedError) as caught:
        ag.compile(f)(np.ones(2))
    assert caught.value.source.file == __file__
    assert "mend" in str(caught.value)


def test_a_value_that_has_left_its_trace_raises() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(x * 2)
        return x

    ag.compile(f)(np.ones(2))
    for use in (lambda t: t + 1, ag.exp, lambda t: t.numpy(), lambda t: t.sum(), lambda t: t.data):
        with pytest.raises(ag.errors.DetachedError, match="left its trace"):
            use(kept[0])


def test_an_exception_leaves_state_alone() -> None:
    net = network(np.random.default_rng(1))
    optimizer = ag.optim.Momentum(net, 0.1)

    @ag.compile
    def step(x: Any, t: Any) -> Any:
        optimizer.zero_grad()
        loss = ag.nn.softmax_cross_entropy(net(x), t)
        loss.backward()
        optimizer.step()
        return loss

    x = np.random.default_rng(0).normal(size=(4, 2))
    for labels in (np.array([0, 1, 2, 9]), np.array([0, 1, 2, 0]), np.array([0, 1, 2, 9])):
        before = [*ag.nn.state(net).values(), *optimizer.state().values()]
        draws = str(net.tree_parts()["3"].rng.state)
        if labels[-1] == 9:
            with pytest.raises(IndexError, match="labels from 0 to 9"):
                step(x, labels)
            assert str(net.tree_parts()["3"].rng.state) == draws
            for old, new in zip(before, [*ag.nn.state(net).values(), *optimizer.state().values()]):
                np.testing.assert_array_equal(old, new)
        else:
            step(x, labels)


def test_static_arguments_and_the_limit() -> None:
    calls = []

    def f(x: Any, n: int, *, flip: bool = False) -> Any:
        calls.append(n)
        return (-x if flip else x) * n

    compiled = ag.compile(f, limit=2)
    x = np.ones(2)
    for n, flip in ((1, False), (1, False), (1, True), (1, False)):
        assert compiled(x, n, flip=flip)[0] == (-n if flip else n)
    assert calls == [1, 1]
    with pytest.warns(RuntimeWarning, match="traced 2 times and more"):
        compiled(x, 2)


def test_the_program_used_longest_ago_goes() -> None:
    traced = []

    def f(x: Any, n: int) -> Any:
        traced.append(n)
        return x * n

    compiled = ag.compile(f, limit=2)
    x = np.ones(2)
    for n in (1, 2, 1):
        compiled(x, n)
    with pytest.warns(RuntimeWarning, match="traced 2 times"):
        compiled(x, 3)
    compiled(x, 1)
    assert traced == [1, 2, 3]
    for limit in (0, 1.5, None, True):
        with pytest.raises(ag.errors.DomainError, match="limit="):
            ag.compile(f, limit=limit)


def doubled(x: Any) -> Any:
    return x * 2


compiled_twin = ag.compile(doubled)
doubled_by_hand, doubled = doubled, compiled_twin  # as the decorator does


def test_a_compiled_function_is_copied_and_pickled_like_a_function() -> None:
    assert copy.deepcopy({"f": compiled_twin})["f"] is compiled_twin
    assert pickle.loads(pickle.dumps(compiled_twin)) is compiled_twin
    layer = ag.compile(ag.nn.Affine(np.eye(2), np.ones(2)))
    x = np.ones((1, 2))
    np.testing.assert_array_equal(copy.deepcopy(layer)(x).data, layer(x).data)


def test_a_compiled_method() -> None:
    class Scale:
        def __init__(self, k: float) -> None:
            self.k = k

        @ag.compile
        def times(self, x: Any) -> Any:
            return x * self.k

    one, two = Scale(2.0), Scale(3.0)
    x = np.ones(2)
    assert [one.times(x)[0], two.times(x)[0]] == [2, 3]
    one.k = 5.0
    assert one.times(x)[0] == 5


def test_slices_are_static() -> None:
    f = ag.compile(lambda x, part: x[part])
    x = np.arange(4.0)
    assert [f(x, slice(0, k)).size for k in (2, 3, 2)] == [2, 3, 2]
    assert repr(f).endswith("2 programs>")


CLIPPED = [
    lambda net: ag.optim.clip_by_norm(net, 0.1),
    lambda net: ag.optim.clip_by_norm(net, 1e6),
    lambda net: ag.optim.clip_by_value(net, 0.01),
]


@pytest.mark.parametrize("clip", CLIPPED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_clipped_in_a_compiled_step(clip: Any, dtype: Any) -> None:
    def run(compiled: bool) -> list[Any]:
        rng = np.random.default_rng(0)
        net = ag.nn.Affine(rng.normal(size=(3, 2)).astype(dtype), np.zeros(2, dtype))
        optimizer = ag.optim.SGD(net, 0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            (net(x) ** 2).sum().backward()
            norm = clip(net)
            optimizer.step()
            return norm

        f = ag.compile(step) if compiled else step
        norms = [f(rng.normal(size=(4, 3)).astype(dtype)) for _ in range(3)]
        return [*(norm for norm in norms if norm is not None), net.W.data, net.b.data]

    for one, other in zip(run(True), run(False), strict=True):
        np.testing.assert_allclose(one, other, rtol=20 * np.finfo(dtype).eps)
        assert np.asarray(one).dtype == np.asarray(other).dtype


def test_a_compiled_step_refuses_to_clip_what_is_not_finite() -> None:
    p = ag.parameter(np.ones(2))

    @ag.compile
    def step(x: Any) -> Any:
        p.zero_grad()
        (p * x).sum().backward()
        return ag.optim.clip_by_norm([p], 1.0)

    assert step(np.array([3.0, 4.0])) == 5
    before = p.grad
    with pytest.raises(ag.errors.GradientError, match="NaN or infinity"):
        step(np.array([np.nan, 1.0]))
    np.testing.assert_array_equal(p.grad, before)


KINDS = [
    ag.jacobian(ag.tanh),
    ag.grad(lambda x: 2 * x.sum()),
    ag.hessian(lambda x: (x**3).sum()),
    lambda x: ag.vjp(ag.sin, x)[1](x),
    lambda x: ag.jvp(ag.sin, (x,), (x,)),
]


@pytest.mark.parametrize("f", KINDS)
def test_arrays_in_arrays_out_of_derivatives(f: Any) -> None:
    x = np.array([1.0, 2.0])
    found, wanted = ag.compile(f)(x), f(x)
    parts = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    for one, other in parts:
        assert type(one) is type(other) is np.ndarray
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_parameters_are_read_when_no_other_thread_traces_with_them() -> None:
    """A step that is traced holds new values in the parameters: nobody's program may see them."""
    p = ag.parameter(np.ones(2))
    inside, go_on = threading.Event(), threading.Event()
    read = ag.compile(lambda x: p * x)
    x = np.ones(2)
    read(x)

    def step(x: Any) -> Any:
        p.data = p.data + x
        inside.set()
        go_on.wait(10)
        raise ValueError("not this time")

    def trace() -> None:
        with pytest.raises(ValueError, match="not this time"):
            ag.compile(step)(x)

    thread = threading.Thread(target=trace)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.05, go_on.set).start()
    np.testing.assert_array_equal(read(x).data, x)
    thread.join()
    np.testing.assert_array_equal(p.data, x)


def test_four_threads_at_once() -> None:
    f = ag.compile(lambda x: (ag.tanh(x) * x).sum(axis=0))
    wrong = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            x = rng.normal(size=(40, 30))
            if not np.allclose(f(x), (np.tanh(x) * x).sum(axis=0), rtol=1e-12, atol=1e-12):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# passes


def loss(x: Any, w: Any) -> Any:
    return (ag.sigmoid(x @ w) * 1.0).sum() + (2 * (x * 3)).mean()


def test_passes_can_be_looked_at() -> None:
    f = ag.compile(ag.value_and_grad(loss, (0, 1)), check=True)
    x, w = np.random.default_rng(0).normal(size=(2, 4, 4))
    f(x, w)
    assert [one.name for one in f.passes] == [name for name, _ in PASSES]
    for one, following in itertools.pairwise(f.passes):
        assert one.after is following.before
    assert len(f.graph) < len(f.passes[0].before)
    assert "two factors as one" in str(f.passes[-1])
    assert "<svg" in ag.draw(f.graph).svg


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("sign", Law("wrong", lambda a: ag.tanh(a), lambda a: a * 1.5)),  # noqa: PLW0108  # reads as a law
        ("edge", Law("wrong", lambda a: ag.tanh(a), lambda a: ag.sinh(a) / ag.cosh(a))),  # noqa: PLW0108  # reads as a law
    ],
)  # fmt: skip
def test_check_names_the_guilty_pass(name: str, law: Law, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: a wrong sign, and a form that is NaN for large numbers alone."""

    def planted(graph: Any) -> Any:
        found = rewritten(graph, [law])
        return found.graph, found.steps

    monkeypatch.setattr("autograd_lite.compiler.passes.PASSES", [*PASSES, (name, planted)])
    f = ag.compile(lambda x: ag.tanh(x) * 2, check=True)
    with pytest.raises(ag.errors.CompileError, match=f"the pass '{name}' changes output 0"):
        f(np.array([0.5, 1.0]))
    assert ag.compile(lambda x: ag.tanh(x) * 2)(np.array([0.5, 1.0])).shape == (2,)


def test_check_names_a_pass_of_the_back_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of the sigmoid that is 0 at -40, which edge values alone show."""
    x = np.array([0.5, 1.0])
    compiled = ag.compile(lambda x: ag.log(ag.sigmoid(x)), check=True)
    compiled(x)
    assert [one.before for one in compiled.executable.passes] == [compiled.graph]
    wrong = Law("wrong", lambda a: ag.sigmoid(a), lambda a: 1 - 1 / (1 + ag.exp(a)))  # noqa: PLW0108  # reads as a law
    monkeypatch.setattr("autograd_lite.compiler.numpy_code.lowering.FIRST", [wrong])
    with pytest.raises(ag.errors.CompileError, match="the pass 'lowering to NumPy' changes"):
        ag.compile(lambda x: ag.log(ag.sigmoid(x)), check=True)(x)


def operand(name: str, value: Any, rng: np.random.Generator) -> Any:
    """An array of a shape for the names of arrays (positions for i); parameters as they are."""
    if isinstance(value, tuple) and name in "abgi":
        return rng.integers(0, 2, value) if name == "i" else rng.normal(size=value)
    return value


@pytest.mark.parametrize("law", [*FACTORS, *FIRST, *LAWS], ids=lambda law: law.name)
def test_a_law_of_the_compiler_holds(law: Law) -> None:
    """On edge values, or on its samples: what is finite stays what it is."""
    rng = np.random.default_rng(0)
    rows: list[list[Any]] = []
    if law.samples:
        for sample in law.samples:
            named = zip(law.names, sample, strict=True)
            rows += [[operand(name, value, rng) for name, value in named]]
    else:
        grids = np.meshgrid(*[EDGES] * len(law.names))
        rows.append([grid.reshape(-1)[:60] for grid in grids])
        rows.append([rng.normal(size=60) for _ in law.names])
    fired = 0
    for row in rows:
        moving = [k for k, v in enumerate(row) if isinstance(v, np.ndarray) and v.dtype == float]

        def recorded(*xs: Any, row: Any = row, moving: Any = moving) -> Any:
            full = list(row)
            for k, x in zip(moving, xs, strict=True):
                full[k] = x
            return law.pattern(*full)

        with np.errstate(all="ignore"):
            graph = ag.trace(recorded, *(row[k] for k in moving))
            found = rewritten(graph, [law])
            slow = np.asarray(graph.replay()[graph.outputs[0]])
            fast = np.asarray(found.graph.replay()[found.graph.outputs[0]])
        fired += len(found.steps)
        assert fast.shape == slow.shape
        finite = np.isfinite(slow)
        np.testing.assert_allclose(fast[finite], slow[finite], rtol=1e-11, atol=1e-300)
    assert fired


def test_stable_forms_are_kept() -> None:
    slope = ag.compile(ag.grad(lambda x: ag.sigmoid(x).sum()))
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    np.testing.assert_allclose(slope(x), [0, 4.248354255291589e-18, 0.25, 4.248354255291589e-18, 0])
    bend = ag.compile(ag.grad(lambda x: ag.tanh(x).sum()))
    np.testing.assert_allclose(bend(np.array([20.0, -20.0])), 4 * np.exp(-40.0), rtol=1e-14)
    soft = ag.compile(lambda x: ag.log_softmax(x))  # noqa: PLW0108  # as people write it
    np.testing.assert_array_equal(soft(np.array([-1e4, 1e4])), [-2e4, 0])


def test_source_is_readable_and_names_nothing_by_user_text() -> None:
    w = ag.parameter(np.ones((2, 2)), name="x); import os; (")
    f = ag.compile(lambda x: ag.exp(x @ w) + 1)
    f(np.ones((3, 2)))
    assert f.source == (
        "def program(x, v0):\n"
        "    v1 = x.dot(v0)\n"
        "    np.exp(v1, out=v1)\n"
        "    v1 += 1\n"
        "    return v1,\n"
    )


def test_an_error_inside_names_operator_shapes_and_line() -> None:
    f = ag.compile(lambda x, i: ag.take(x, i) * 2)
    x = np.arange(3.0)
    f(x, np.array([0, 1]))
    with pytest.raises(IndexError) as caught:
        f(x, np.array([0, 7]))
    assert caught.value.source.file == __file__
    assert "take" in str(caught.value)


def test_unknown_back_ends_and_options_are_told() -> None:
    with pytest.raises(ag.errors.UnsupportedError, match="no back end 'fortran'"):
        ag.compile(lambda x: x, backend="fortran")
    with pytest.raises(ag.errors.UnsupportedError, match="has no option 'speed'"):
        ag.compile(lambda x: x, speed=3)(np.ones(2))
    with pytest.raises(ag.errors.UnsupportedError, match="nothing was compiled yet"):
        _ = ag.compile(lambda x: x).source
    with pytest.raises(ag.errors.DTypeError):
        ag.compile(3)


def test_a_plain_step_with_data_and_grad() -> None:
    """``p.data = p.data - rate * p.grad`` inside, as one writes it without an optimizer."""
    p = ag.parameter([3.0, 4.0])

    @ag.compile
    def step(x: Any) -> Any:
        p.zero_grad()
        value = ((p - x) ** 2).sum()
        value.backward()
        p.data = p.data - 0.25 * p.grad
        return value

    values = [step(np.zeros(2)).item() for _ in range(3)]
    assert values == [25, 6.25, 1.5625]
    np.testing.assert_array_equal(p.data, [0.375, 0.5])
    np.testing.assert_array_equal(p.grad, [1.5, 2.0])
    with pytest.raises(ag.errors.GradientError, match="which changes state"):
        step(np.zeros(2)).backward()


# what a function closes over


TABLE = np.ones(3)
RATE = 2.0


def scaled(x: Any) -> Any:
    return x * TABLE * RATE


def test_arrays_and_numbers_that_a_function_closes_over_are_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = {"w": np.ones(3)}
    f = ag.compile(lambda x: scaled(x) + held["w"])
    x = np.ones(3)
    assert f(x)[0] == 3
    held["w"] += 1  # changed in place
    assert f(x)[0] == 4
    held["w"] = held["w"] * 10  # another array
    assert f(x)[0] == 22
    monkeypatch.setitem(globals(), "RATE", 5.0)
    assert f(x)[0] == 25
    monkeypatch.setitem(globals(), "TABLE", np.full(3, 2.0))
    assert f(x)[0] == 30
    held["w"] = np.ones((2, 3))
    assert f(x).shape == (2, 3)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(size=2),
        lambda rng: np.random.normal(size=2),  # noqa: NPY002  # what one must not do
        lambda rng: random.random(),
    ],
)
def test_draws_that_would_be_baked_are_refused(draw: Any) -> None:
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    with pytest.raises(ag.errors.UnsupportedError, match="the same at every call"):
        ag.compile(lambda x: x + draw(rng))(np.ones(2))
    assert rng.bit_generator.state == state


def test_derivatives_with_respect_to_arguments_alone() -> None:
    """Nothing closed over: the gradient must not be lost on the way through the program."""
    f = ag.compile(lambda x, n: ((x**n).sum(), ag.argmax(x)))
    x = np.array([1.0, 2.0])
    assert f(x, 3)[0] == 9
    np.testing.assert_array_equal(ag.grad(lambda x: f(x, 3)[0])(x), 3 * x**2)
    np.testing.assert_array_equal(ag.hessian(lambda x: f(x, 3)[0])(x), np.diag(6 * x))
    t = ag.tensor(x)
    value, where = f(t, 3)
    assert value.tracked
    assert not where.tracked
    value.backward()
    np.testing.assert_array_equal(t.grad, 3 * x**2)
    with ag.no_grad():
        assert not f(t, 3)[0].tracked
    np.testing.assert_array_equal(ag.hvp(lambda x: f(x, 3)[0], [x], [x])[0], 6 * x * x)
    np.testing.assert_array_equal(ag.jacobian(ag.compile(lambda x: x * x))(x), np.diag(2 * x))


# given buffers


def matrices(rng: np.random.Generator) -> Any:
    """Two matrices whose product is large enough to be computed where it goes, and a program."""
    x, w = rng.normal(size=(2, 64, 64))

    def f(x: Any, w: Any) -> Any:
        y = x @ w
        return y, y.T, w - y, (y * y).sum(), w.T @ x, x

    compiled = ag.compile(f, poison=True)
    wanted = [np.array(one) for one in compiled(x, w)]
    return x, w, compiled.executable, wanted


def test_given_buffers_are_filled(rng: np.random.Generator) -> None:
    x, w, executable, wanted = matrices(rng)
    outs = [np.empty_like(one) for one in wanted]
    for _ in range(2):
        for one, given, value in zip(executable(x, w, donate=outs), outs, wanted, strict=True):
            assert one is given
            np.testing.assert_array_equal(given, value)
    assert [np.shares_memory(one, other) for one, other in itertools.combinations(outs, 2)] == [
        False
    ] * 15
    executable.forget()


def test_given_buffers_may_lie_anywhere(rng: np.random.Generator) -> None:
    """In inputs, in each other (the last one stays), turned, and in parts of a larger array."""
    x, w, executable, wanted = matrices(rng)

    def fresh() -> list[Any]:
        return [np.empty_like(one) for one in wanted]

    for place in range(len(wanted)):
        if wanted[place].shape != x.shape:
            continue
        for which in range(2):
            inputs, outs = [x.copy(), w.copy()], fresh()
            outs[place] = inputs[which]
            for one, value in zip(executable(*inputs, donate=outs), wanted, strict=True):
                np.testing.assert_array_equal(one, value)
        outs = fresh()
        outs[place] = np.empty((64, 64)).T
        np.testing.assert_array_equal(executable(x, w, donate=outs)[place], wanted[place])
    outs = fresh()
    outs[0] = outs[4]
    np.testing.assert_array_equal(executable(x, w, donate=outs)[0], wanted[4])
    outs, whole = fresh(), np.empty((80, 64))
    outs[0], outs[4] = whole[:64], whole[16:]
    executable(x, w, donate=outs)
    np.testing.assert_array_equal(whole[16:], wanted[4])


def test_buffers_that_do_not_fit_are_refused(rng: np.random.Generator) -> None:
    x, w, executable, wanted = matrices(rng)
    outs = [np.empty_like(one) for one in wanted]
    with pytest.raises(ag.errors.ShapeError, match="donate= has 5 arrays for 6 outputs"):
        executable(x, w, donate=outs[1:])
    for wrong in (np.empty((64, 64), np.float32), np.empty((64, 63)), 1.0):
        with pytest.raises(ag.errors.ShapeError, match=r"donate\[0\] is"):
            executable(x, w, donate=[wrong, *outs[1:]])


def test_a_step_needs_no_more_memory_than_layers_by_hand() -> None:
    """Large temporaries are freed at their last use, results computed as soon as they can be."""
    rng = np.random.default_rng(0)
    shapes = (512, 300), (300, 512), (512, 512), (512, 10)
    x, W1, W2, W3 = (rng.normal(size=shape) for shape in shapes)

    def loss(W1: Any, W2: Any, W3: Any) -> Any:
        return (ag.maximum(ag.maximum(x @ W1, 0) @ W2, 0) @ W3).sum()

    def by_hand() -> Any:
        a = np.maximum(x @ W1, 0)
        b = np.maximum(a @ W2, 0)
        y = b @ W3
        g = np.ones_like(y)
        d3 = b.T @ g
        g = g @ W3.T * (b > 0)
        d2 = a.T @ g
        g = g @ W2.T * (a > 0)
        return y.sum(), x.T @ g, d2, d3

    step = ag.compile(ag.value_and_grad(loss, (0, 1, 2)))
    found, wanted = step(W1, W2, W3), by_hand()
    for one, other in zip(found[1], wanted[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    step.executable.forget()

    def peak(run: Any) -> int:
        tracemalloc.start()
        try:
            run()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(lambda: step(W1, W2, W3)) <= peak(by_hand)
