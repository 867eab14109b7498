"""The command line ``sdcolor``.

Importing it is cheap: networks, pictures and Qt are imported inside the
commands that need them.
"""

from __future__ import annotations

import logging

from napari_sdcolor.cli.app import app
from napari_sdcolor.cli.streams import prepare_streams

__all__ = ('app', 'main')


def main() -> None:
    """Run ``sdcolor`` and end the process with its exit code.

    0: all done; 1: something failed and was named with its reason; 2: wrong
    usage.
    """
    prepare_streams()
    # What a library logs of a damaged file is said in our own sentence.
    logging.getLogger('tifffile').setLevel(logging.CRITICAL)
    app()
