"""Plan city-wide nucleic-acid testing rounds."""

__version__ = "0.1.0"
