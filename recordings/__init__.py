"""The product. Its version is written into every export; pyproject.toml says the same."""

__version__ = "0.1.0"
