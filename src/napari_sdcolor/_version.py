"""The version, told to the packaging and to every file that is written."""

from importlib import metadata

__version__ = '0.1.0'


def installed(package: str) -> str | None:
    """Version of a package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
