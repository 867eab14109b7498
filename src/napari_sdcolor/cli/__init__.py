"""The command line ``sdcolor``.

Importing it is cheap: networks, pictures and Qt are imported inside the
commands that need them.
"""

from __future__ import annotations

import logging
import sys

from napari_sdcolor.cli.app import app

__all__ = ('app', 'main')


def main() -> None:
    """Run ``sdcolor`` and end the process with its exit code.

    0: all done; 1: something failed and was named with its reason; 2: wrong
    usage.
    """
    # A file name or sign that the terminal cannot show must not stop the
    # work; standard error escapes such characters anyway.
    sys.stdout.reconfigure(errors='backslashreplace')
    # What a library logs of a damaged file is said in our own sentence.
    logging.getLogger('tifffile').setLevel(logging.CRITICAL)
    app()
