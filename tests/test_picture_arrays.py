"""How numbers and arrays are written, and how wide text is taken to be."""

import numpy as np
import pytest

from autograd_lite.picture.arrays import HEAT_STEPS, number, shape_text, tooltip, typeset
from autograd_lite.picture.widths import mono_width, text_width


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (1 / 3, "0.333"),
        (-1234567.0, "−1.23e+06"),
        (-0.0, "0"),
        (np.nan, "NaN"),
        (-np.inf, "−inf"),
        (True, "True"),
        (np.int64(123456), "123456"),
        (np.float32(0.1), "0.1"),
        (1 - 2j, "1−2j"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("array", "lines", "bracket"),
    [
        (3.5, ["3.5"], False),
        ([1, 2, 3], ["[1 2 3]"], False),
        ([[1, 2, 3]], ["[1 2 3]"], False),
        ([[1.5, -2], [10, 3]], ["1.5 −2", " 10  3"], True),
        (np.zeros((3, 4)) + 1, ["1 1 1 1"] * 3, True),
        (np.arange(6).reshape(1, 2, 3), ["0 1 2", "3 4 5"], True),
        (np.ones((0, 3)), ["empty"], False),
        (np.array(["a"]), ["not numbers"], False),
        ((np.ones(2), np.ones(2)), ["2 arrays"], False),
    ],
)
def test_small_arrays_in_full(array, lines, bracket):
    text = typeset(array)
    assert list(text.lines) == lines
    assert text.bracket == bracket
    assert text.heat == ()


def test_large_arrays_summarised():
    text = typeset(np.linspace(-1, 3, 50).reshape(5, 10))
    assert text.lines == ("1 ± 1.18", "[−1 … 3]")
    assert [len(row) for row in text.heat] == [8] * 5
    assert text.heat[-1][-1] == HEAT_STEPS
    assert text.heat[0][0] == -2  # −1 of at most 3: the scale is centred at zero
    assert typeset(np.ones(7)).heat == ((HEAT_STEPS,) * 7,)
    assert len(typeset(np.ones((4, 5, 6))).heat) == 8


@pytest.mark.parametrize(
    ("array", "flag"),
    [
        ([1, np.nan, np.nan], "NaN×2"),
        ([np.inf, -np.inf, np.nan, 1], "NaN×1 inf×2"),
        ([0, 0.0], "all 0"),
        (np.zeros((9, 9)), "all 0"),
        (np.full((9, 9), np.nan), "NaN×81"),
        (0.0, ""),
        ([0, 1], ""),
    ],
)
def test_flags(array, flag):
    assert typeset(array).flag == flag


def test_a_thumbnail_marks_what_is_not_a_number():
    array = np.ones((3, 5))
    array[1, 2] = np.nan
    assert typeset(array).heat[1][2] is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.bool_, np.complex64, ">f8"])
def test_every_dtype(dtype):
    for shape in [(), (3,), (2, 2), (30, 2), (0,), (2, 3, 4)]:
        text = typeset(np.ones(shape, dtype))
        assert text.lines
        assert tooltip(np.ones(shape, dtype))


def test_huge_values_make_no_warnings():
    typeset(np.full((10, 10), 1e308))
    typeset(np.full((10, 10), np.inf))


def test_tooltips_are_bounded():
    assert tooltip(np.arange(3.0)) == "[0. 1. 2.]"
    assert tooltip(np.arange(1000.0)).endswith("… 1000 elements")
    assert len(tooltip(np.arange(1000.0))) < 500


def test_shapes():
    assert [shape_text(s) for s in [(), (3,), (2, 3)]] == ["()", "(3,)", "(2, 3)"]


def test_widths():
    assert text_width("", 10) == 0
    assert text_width("iii", 10) < text_width("WWW", 10)
    assert text_width("a", 10, bold=True) > text_width("a", 10)
    assert text_width("漢", 10) > 10
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert mono_width("12345", 10) == pytest.approx(30.1)
