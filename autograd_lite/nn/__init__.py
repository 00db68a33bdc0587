"""Layers composed of operators, each under a scope of its name, and nothing else.

Functions (``affine``, ``sigmoid``, ``relu``) and classes (``Affine``, ``Sigmoid``, ``ReLU``) that
hold parameters. Derivatives come by themselves. Imports its own files alone.
"""

from autograd_lite.nn.activations import ReLU, Sigmoid, relu, sigmoid
from autograd_lite.nn.affine import Affine, affine
from autograd_lite.nn.layer import Layer

__all__ = ["Affine", "Layer", "ReLU", "Sigmoid", "affine", "relu", "sigmoid"]
