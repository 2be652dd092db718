"""Isotropy and geometry of pretrained protein language models."""

__version__ = "0.1.0"
