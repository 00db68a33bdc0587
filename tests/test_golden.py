"""Small pictures stay as they are, byte for byte; a change of them is told readably."""

import pytest

from docs.picture_changes import changes
from tests.golden import NAMES, PINNED, drawn, installed, path_of


@pytest.mark.parametrize(("case", "engine"), NAMES)
def test_golden_files(case, engine):
    """Drawn anew by ``make pictures``, which shows what changed."""
    if engine == "pygraphviz" and installed() != PINNED:
        pytest.skip(f"positions are those of pygraphviz {PINNED}")
    told = changes(case, path_of(case, engine).read_text("utf-8"), drawn(case, engine))
    assert told == []


def test_a_change_is_told_by_its_kind():
    old = path_of("affine", "builtin").read_text("utf-8")
    assert changes("p", None, old) == ["p: new"]
    assert changes("p", old, old) == []
    assert changes("p", old, old.replace(">W<", ">V<", 1)) == ["p: texts", "  - W", "  + V"]
    assert changes("p", old, old.replace('r="4"', 'r="5"') + "<g/>") == [
        "p: other elements, the same texts"
    ]
    place = old.index('x="') + 3
    (told,) = changes("p", old, old[:place] + "1" + old[place:])
    assert told.startswith("p: positions only, in 1 of ")
    assert changes("p", old, old.replace("#fff8e6", "#fffff6"))[0].startswith("p: style, in ")
