"""What people call the arguments of a layer, and what is then meant: a table, the likeliest first.

Knows: that `W` is a matrix, `t` labels or one-hot rows, `stride` a small number, and so on, each
as a short text; the sizes that the letters of a shape stand for.
Does not know: layers, how a choice among them is made.
Imports: the standard library alone.

The texts: `f N D` an array of floats of that shape, `i N` integers below 3, `o N D` one-hot rows,
`b N` zeros and ones, `l N D` a list of two arrays, `#D` a size, `[D H K]` a list and `( D H` a
tuple of sizes, `= 0.5` a Python literal. `?0` is a size that no other argument shares until it
must; `G` is a multiple of H, as the gates of a recurrent layer want it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BATCH", "WORLDS", "Choice", "choices", "is_binary", "is_loss", "is_weight"]

WORLDS: tuple[dict[str, int], ...] = (
    {"N": 4, "D": 5, "H": 6, "T": 3, "K": 7, "V": 8, "B": 2, "C": 2, "Y": 4, "X": 6, "F": 3},
    {"N": 4, "D": 6, "H": 12, "T": 3, "K": 8, "V": 9, "B": 2, "C": 4, "Y": 6, "X": 6, "F": 8},
    {"N": 3, "D": 8, "H": 16, "T": 4, "K": 10, "V": 9, "B": 2, "C": 2, "Y": 5, "X": 5, "F": 3},
    {"N": 4, "D": 4, "H": 4, "T": 4, "K": 4, "V": 5, "B": 2, "C": 3, "Y": 8, "X": 8, "F": 4},
    {"N": 3, "D": 784, "H": 5, "T": 3, "K": 10, "V": 9, "B": 2, "C": 1, "Y": 28, "X": 28, "F": 3},
)
"""Sizes of the letters: told apart first, then divisible, then square, then those of MNIST."""

BATCH = frozenset({"N", "B"})


@dataclass(frozen=True)
class Choice:
    """One meaning of an argument: see the module. `kind` is the text's first letter."""

    kind: str
    dims: tuple[str, ...] = ()
    value: Any = None

    @classmethod
    def read(cls, text: str, name: str) -> Choice:
        """The choice that a text of the table stands for; `?0` becomes a size of `name`'s own."""
        kind, *rest = text.split()
        if kind == "=":
            return cls("=", value=ast.literal_eval(text[1:].strip()))
        if kind.startswith("#"):
            return cls("#", (kind[1:],))
        if kind == "(":
            return cls("(", tuple(rest))
        if kind.startswith("["):
            return cls("[", tuple(text.strip("[]").split()))
        return cls(kind, tuple(f"{name}{d}" if d.startswith("?") else d for d in rest))


_WEIGHT = (
    "f D H | f H D | f ?0 ?1 | f F C 3 3 | f ?0 | f F C | f F C 2 2 | f C 3 3 | f 3 | f D G | f H H"
    " | f | f 3 3 C F | f D | f D 1"
)
_BATCHES = (
    "f N D | f B C Y X | f N T D | f D 1 | f ?0 | i N | i N T | f D N | l N D | f B Y X C | f N C Y"
    " | f Y X | f N 1 | f N | f | = 0.7 | f D N T | f 1 1 | f C Y X | f T D 1"
)
_LABELS = (
    "i N | o N D | f N D | o N K | b N | b N 1 | i N T | o N T D | f N | f N 1 | f N K | b 1 N"
    " | o K N"
)

# Asked in order, of the name in lower case without underscores at its ends: what it may be, then
# the patterns of such names, whole ones.
_NAMES: tuple[tuple[str, ...], ...] = (
    # inputs
    (_BATCHES, r"x|a|z|s|data|images?|imgs?|x_?in|inputs?|input_data|features?|scores|logits|batch",
     r"a_?prev|x_?data|y_?(pred|hat)|preds?|predictions?|probs|activations?|layer_input"),
    ("f N T D | f T D | f N D | f T D 1 | l N D | i N T", r"xs|seq|sequence|input_?seq|embeddings"),
    ("i N | i N T | = [0, 2, 2, 1] | f N D",
     r"ids|idxs?|indices|tokens|words?|rows|word_ids|contexts?|token_ids|input_ids"),
    ("f N T D | f T D | f N T H | f T H", r"hs|enc_?hs|encoder_outputs?|keys|values|memory"),
    ("f N H | f H | f H N | f H 1 | f N D",
     r"(h|c|a|s)_?(prev|0|t|in|init)|prev_?(h|c|a|s)|h_?next|state|hidden|hidden_?state|hprev|cprev"),
    ("f N D | f N T D | f D | f B T D | f N ?0 | f ?0", r"q|query|queries"),
    (_LABELS,
     r"t|ts|y_?true|\w*targets?|\w*labels?|(label|target)_(tensor|batch|data|vector)|reference\w*",
     r"gt|ground_?truth|actual|desired|expected|y_?real"),
    ("= None | b N T | b N D | b T T", r"mask|masks|attention_?mask"),
    # parameters
    ("f D G | f G D | f D H", r"w_?x|w_?xh|w_?ax|w_?ih|weight_?ih|w_?in|wx\w|w_?input"),
    ("f H G | f G H | f D H | f H H", r"w_?h|w_?hh|w_?aa|weight_?hh|w_?rec|wh\w|w_?state|u[_a-z]?"),
    ("f H K | f K H | f H H | f D D | f D H", r"w_?hy|w_?y|w_?ya|w_?out|w_?o|v_?out"),
    ("f K | f K 1 | f 1 K", r"by|b_?y|ba_?y|c_?y"),
    ("f H | f F | f H 1 | f 1 | f 1 H | f G | f ?0 | f | f 1 1 1 F",
     r"b_?(h|a|ih|hh|i|f|o|c|g|z|r|n)?|bias(es)?|intercept|offset"),
    ("f D | f C | f 1 D | f 1 C 1 1 | f D 1 | f ?0 | f", r"gamma|beta|g|scale|shift|gain"),
    ("= None | f D", r"running_?(mean|var)|moving_?(mean|var)"),
    ("#F | f F C 3 3", r"n_?filters|num_?filters|filter_?num|out_?channels?|output_?channels?",
     r"filters_?count|out_?c|c_?out|nb_?filters|filters|depth"),
    (_WEIGHT, r"(w|weights?|kernels?|filters?|theta|params?|embed|m)(_?(\w|emb|qkv|matrix|conv))?",
     r"embedding_?matrix"),
    # sizes
    ("#D | = (5,)",
     r"(num_?|nb_?|n_?|in_?|input_?)(features|inputs?|in|dims?|size|units|neurons|nodes|d)",
     r"in|fan_?in|d|dims?|features?_?(in|num)|d_?(in|model)|num_?in|model_?dim|size_?in|size|n|n_?x",
     r"insize|input_?length|previous_?units|embed_?(dim|size)|embedding_?(dim|size)|wordvec_?size",
     r"units_?in|n_?prev|nin|normalized_?shape"),
    ("#H | [H] | [H H]",
     r"hidden\w*|n_?(h|hidden\w*)|num_?hidden\w*|h_?(size|dim)|d_?(ff|hidden|k|v)|hid\w*|mid\w*"),
    ("#H | #K | = 2",
     r"out|(out|output|num|nb|n)_?(features|outputs?|out|dims?|size|units|neurons|nodes|classes)",
     r"units|n_?(y|classes)|fan_?out|neurons|classes|d_?out|num_?(out|labels)|size_?out|k|outsize",
     r"n_?units|m|units_?out|nout|n_?labels"),
    ("#V", r"vocab_?size|num_?embeddings|vocab|n_?(vocab|words)|num_?(words|tokens)"),
    ("#C", r"(in|input)_?channels?|channels?(_?in)?|in_?c|c_?in|num_?channels|n_?c(_?prev)?|c",
     r"depth_?in"),
    ("= 3 | = (3, 3) | = 2 | f F C 3 3 | f C 3 3 | f 3",
     r"(kernel|filter|f|k|window|conv|ker)_?(size|dim|h|w|height|width|shape)?",
     r"ksize|ks|kh|kw|fh|fw|hh|ww"),
    ("= 2 | = (2, 2)", r"pool\w*|p_?size|ph|pw"),
    ("#T", r"(seq\w*|max|context)_?(len|length)|n_?steps|time_?steps?|seq_?size|length|max_?time"),
    ("#N", r"batch_?size|bs|n_?samples"),
    ("= 1 | = 2 | = (1, 1)", r"stride(s|_?[hwxy])?"),
    ("= 1 | = 0 | = 'same' | = 'valid' | = (1, 1)", r"pad(ding)?(_?[hwxy]|_?size|_?width)?"),
    ("= 2 | = 1", r"(n_?|num_?)?heads?|n_?groups?|num_?groups?|groups?"),
    ("[D H K] | [H K]",
     r"sizes|layers?_?(sizes|dims|units)|dims|architecture|structure|hidden_?(sizes|dims)|layers"),
    ("( D | #D | = (None, 5) | ( C Y X | ( Y X C | ( B C Y X | = (5,)",
     r"(input_?)?shape|in_?shape|output_?shape"),
    # numbers
    ("= 0.5", r"(drop(out)?_?)?(p|ratio|rate|prob(ability)?|keep_?prob|keep|drop|dropout)\d?",
     r"keep_?probability|p_?drop"),
    ("= 0.1", r"lr|learning_?rate|eta|step_?size|reg(\w*)|lamb?da|lambd|weight_?decay|wd|l1|l2"),
    ("= 0.3 | f D | f ?0", r"alpha|slope|negative_?slope|leak|scale_factor|leaky\w*"),
    ("= 1e-5", r"eps(ilon)?"),
    ("= 0.9", r"momentum|rho"),
    ("= 0.6", r"delta|margin|temperature|tau|sigma|std|weight_?(scale|init_?std)|smoothing",
     r"threshold|power|exp"),
    ("= 0", r"seed|random_?(state|seed)"),
    ("= -1 | = 1 | = 0", r"axis|dim"),
    ("= True", r"(is_?)?train(ing|_?fl[a]?g|_?mode)?|use_?\w+|trainable|has_?bias|stateful"),
    ("= 'train'", r"mode|phase"),
    ("= 'layer'", r"name|title|label_?name|id"),
    ("= 'relu' | = 'tanh' | = 'sigmoid' | = 'linear' | = 'softmax'",
     r"act(ivation)?(_?(fn|func|function|name))?|non_?linearity"),
    ("= 'he' | = 'xavier' | = 0.1 | = None", r"init(ializ|ialis)?(er|e|ation)?|weight_?init\w*"),
    ("= None | = 'sgd'", r"optimi[sz]er"),
)  # fmt: skip

_UNKNOWN_SETTING = "f ?0 | = 2 | = 0.5 | f ?0 ?1 | i N | o N D | f N D | = True | = None | = (2, 2)"
_UNKNOWN_INPUT = (
    "f N ?0 | f B C Y X | f N T ?0 | f N T | f ?0 | f ?0 ?1 | = 0.7 | = 2 | i N | o N D | = True"
    " | f"
)
_COMPILED = tuple((re.compile(f"^(?:{'|'.join(names)})$"), texts) for texts, *names in _NAMES)
_BINARY = re.compile(r"binary|bce|sigmoid|logistic|bernoulli", re.IGNORECASE)
_LOSSES = re.compile(
    r"loss|entropy|error|cost|criterion|hinge|mse|mae|nll|logits|divergence|huber|objective|svm",
    re.IGNORECASE,
)
_WEIGHTS = re.compile(
    r"^(w|b|u|v|gamma|beta|weights?|bias|kernels?|filters?|theta)(_?\w{0,3})$", re.IGNORECASE
)
_GATE = re.compile(r"^w_?[ificogurz]$")  # of a recurrent layer that joins its input and state
_NUMBERED = re.compile(r"^(w|b|weights?|bias|theta|gamma|beta)_?([1-9])$", re.IGNORECASE)


def is_binary(name: str) -> bool:
    """Whether a loss is called as those of two classes are."""
    return bool(_BINARY.search(name)) and is_loss(name)


def is_loss(name: str) -> bool:
    """Whether something is called as losses are."""
    return bool(_LOSSES.search(name))


def is_weight(name: str) -> bool:
    """Whether an argument is called as parameters are."""
    return bool(_WEIGHTS.match(name))


def choices(
    name: str, *, first: bool, setting: bool, others: Sequence[str], loss: bool
) -> list[Choice]:
    """What an argument may be, the likeliest first.

    `first`: the first input of a forward pass; `setting`: an argument of a constructor; `others`
    are the names beside it; `loss` says that the layer is called as losses are.

    >>> [choice.dims for choice in choices("W", first=False, setting=True, others=[], loss=False)][
    ...     :2
    ... ]
    [('D', 'H'), ('H', 'D')]
    """
    texts = _texts(name, first, setting, others, loss).split(" | ")
    return [Choice.read(text, name) for text in dict.fromkeys(texts)]


def _texts(name: str, first: bool, setting: bool, others: Sequence[str], loss: bool) -> str:
    plain = name.strip("_").lower()
    numbered = _NUMBERED.match(plain)
    if _GATE.match(plain) and sum(bool(_GATE.match(o.lower())) for o in others) >= 2:
        return f"f H+D H | f H H+D | f D+H H | f H D+H | {_WEIGHT}"
    if numbered and any(_NUMBERED.match(o.lower()) for o in others if o != name):
        return _of_chain(numbered[1], int(numbered[2]))
    rest = _UNKNOWN_SETTING if setting else _BATCHES if first else _UNKNOWN_INPUT
    if (
        not setting
        and plain in ("k", "v", "key", "value")
        and any(o.lower() in ("q", "query") for o in others)
    ):
        return "f T D | f N T D | f N D | f B T D | f T ?0"
    if plain == "y" and not first:
        return _LABELS if loss and not setting else f"f N ?0 | {_LABELS}"
    if plain in ("a", "s", "z", "x", "features", "y") and setting:
        return _LABELS if loss else rest
    if (
        first
        and plain in ("y", "p", "q", "u", "v", "g", "m", "n", "w", "d", "t")
        and not _is_label(plain, loss)
        and not (plain == "w" and any(o.lower() == "x" for o in others))
    ):
        return _BATCHES
    if plain in ("a_prev", "aprev") and not first and name.islower():
        return "f N H | f H N | f H 1 | f H"
    if plain in ("p", "k") and setting and loss:
        return "f N D | = 0.5"
    special = _by_letter(name, plain, first, setting, others, loss)
    if special:
        return special
    if setting and _is_output_size(plain, others):
        return f"{'#K | #H' if plain.startswith(('out', 'n_y', 'ny')) else '#H'} | {rest}"
    for pattern, texts in _COMPILED:
        if pattern.match(plain):
            return f"{texts} | {rest}" if texts[0] in "fio" or setting else texts
    return rest


def _by_letter(
    name: str, plain: str, first: bool, setting: bool, others: Sequence[str], loss: bool
) -> str:
    """What single letters mean, which depends on where they stand; empty for all the rest."""
    if loss and setting and re.fullmatch(r"(class_?)?w(eights?)?", plain):
        return f"f D | f N | {_UNKNOWN_SETTING}"
    if loss and first and not _is_label(plain, loss):
        return f"f N D | {_BATCHES}"
    if plain == "h":
        return "#H | = 2" if setting else f"f N H | f H | f H N | f H 1 | {_UNKNOWN_INPUT}"
    if name == "G":
        return "= 2 | = 1"
    if plain == "theta" and not setting:
        return f"f D | f D 1 | {_WEIGHT}"
    if name in ("A", "M", "P", "Q", "R", "S", "U", "V") and setting:
        return f"{_WEIGHT} | f H G | #V"
    if plain in ("u", "v") and setting:
        return f"f H | f ?0 | {_WEIGHT}"
    if plain == "b" and not setting and "a" in others:
        return _UNKNOWN_INPUT
    if not setting and not first and plain in ("n", "p", "u", "v", "a", "x", "z"):
        return _UNKNOWN_INPUT
    return ""


def _is_output_size(plain: str, others: Sequence[str]) -> bool:
    """Whether a size is that of an output, told from the sizes beside it."""
    output = re.match(r"^((out|output)(_?(dim|size|features|units|nodes|neurons))?|n_?y)$", plain)
    if output and any(re.match(r"^(hid|n_?h|h_?(dim|size)$)", o.lower()) for o in others):
        return True
    units = re.match(r"^(n|nb|num)?_?(neurons|units|nodes)$", plain)
    return bool(units) and any("input" in o.lower() for o in others)


def _is_label(plain: str, loss: bool) -> bool:
    return plain == "t" and loss


def _of_chain(stem: str, number: int) -> str:
    """W1, b1, W2, …: each layer begins where the one before ends."""
    before, here = ("D" if number == 1 else f"L{number - 1}"), f"L{number}"
    if stem.startswith(("b", "gamma")):
        return f"f {here} | f {here} 1 | f 1 {here} | f F"
    return f"f {before} {here} | f {here} {before} | f F C 3 3"
