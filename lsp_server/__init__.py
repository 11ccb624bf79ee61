"""Ling Coder: a language server that completes, explains and repairs code with a model on the user's own machine."""

__version__ = "0.1.0"
