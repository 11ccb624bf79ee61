"""A `bailingmoe` model of 2 MB with random weights, for tests and demo.

The same seed gives the same bytes on every machine.
"""

from models.tiny.writer import write_tiny

__all__ = ["write_tiny"]
