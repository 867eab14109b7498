"""The version, told to the packaging and to every file that is written."""

__version__ = '0.1.0'
