"""Texts of formulas as LaTeX with fractions: a bar where the text has a stroke.

Knows how texts of formulas are put together: factors without spaces, what divides in parentheses.
Imports notation.
"""

import re

from autograd_lite.notation import as_latex

__all__ = ["as_formula"]

_TINY = re.compile(r"(\d+(?:\.\d+)?)e[−-]0*(\d+)")
_APART = " +−×,"  # what ends a product
_HELD = 0xF400  # private signs that stand for what is written already


def as_formula(text: str) -> str:
    r"""A text as LaTeX: its quotients as fractions, powers of ten as such.

    >>> print(as_formula("G × exp(x)/(1+exp(x))²"))
    G \times \frac{\mathrm{exp}(x)}{(1+\mathrm{exp}(x))^{2}}
    >>> print(as_formula("(a − b)/n + 1e−05"))
    \frac{a - b}{n} + 10^{-5}
    """
    return _Setter().latex(text)


class _Setter:
    def __init__(self) -> None:
        self.held: list[str] = []

    def latex(self, text: str) -> str:
        """The whole text as LaTeX."""
        return self._shown(self._divided(_TINY.sub(self._power_of_ten, text)))

    def _hold(self, latex: str) -> str:
        """A sign that stands for LaTeX."""
        self.held.append(latex)
        return chr(_HELD + len(self.held) - 1)

    def _shown(self, text: str) -> str:
        latex = as_latex(text)
        for k in reversed(range(len(self.held))):
            latex = latex.replace(chr(_HELD + k), self.held[k])
        return latex

    def _power_of_ten(self, found: re.Match[str]) -> str:
        power = f"10^{{-{found[2]}}}"
        return self._hold(power if found[1] == "1" else rf"{found[1]}\cdot {power}")

    def _divided(self, text: str) -> str:
        """The text with signs for its fractions, those inside brackets first."""
        done, product, k = "", "", 0
        while k < len(text):
            if text[k] == "/" and product:
                under, k = self._factor(text, k + 1)
                top, below = (self._shown(_bare(one)) for one in (product, under))
                product = self._hold(rf"\frac{{{top}}}{{{below}}}")
                continue
            piece, k = self._piece(text, k)
            if piece in _APART:
                done, product = done + product + piece, ""
            else:
                product += piece
        return done + product

    def _piece(self, text: str, k: int) -> tuple[str, int]:
        """A sign, or all that stands in brackets; and where it ends.

        Around a fraction alone no brackets are needed, but for a call's.
        """
        end = _closing(text, k) if text[k] in "([" else k
        if end == k:
            return text[k], k + 1
        inner = self._divided(text[k + 1 : end])
        alone = len(inner) == 1 and ord(inner) >= _HELD and (k == 0 or text[k - 1] in _APART)
        return inner if alone and text[k] == "(" else f"{text[k]}{inner}{text[end]}", end + 1

    def _factor(self, text: str, k: int) -> tuple[str, int]:
        """The factor that divides, and where it ends."""
        found = ""
        while k < len(text) and text[k] not in f"{_APART}/·)]":
            piece, k = self._piece(text, k)
            found += piece
        return found, k


def _closing(text: str, start: int) -> int:
    """The place of the bracket that closes one, or its own where none does."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] in "([") - (text[k] in ")]")
        if not depth:
            return k
    return start


def _bare(text: str) -> str:
    """Without parentheses around all of it."""
    whole = text[:1] == "(" and _closing(text, 0) == len(text) - 1
    return text[1:-1] if whole else text
