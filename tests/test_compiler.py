"""ag.compile: the same results as the function itself, whatever it reads and writes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag


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
