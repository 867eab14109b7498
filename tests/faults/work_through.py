"""Colors damaged files in a process of its own, which they may bring down.

Usage: work_through.py FOLDER KIND START STOP SECONDS

Makes the files, colors each with tiny networks into a folder, and writes
one line of JSON per file: before it begins, and what came of it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import torch
from memory_use import megabytes
from mutations import bombs, mutated_files

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.archive.saving import save_pages, save_result
from napari_sdcolor.archive.sidecar import read_sidecar, run_facts
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.errors import SdcolorError

SEED = 20_06_07587
WIDTHS = (4, 4, 8, 8, 8)


def files(kind: str, start: int, stop: int):
    if kind == 'bombs':
        everything = iter(bombs().items())
    else:
        everything = mutated_files(stop, SEED)
    return itertools.islice(everything, start, stop)


def color(colorizer: Colorizer, path: Path, out: Path) -> int:
    """Color all pages of a file; their number."""
    with open_photos(path) as file:
        results = (colorizer.colorize(file.read(page)) for page in file.pages)
        started = datetime.now(UTC)
        if file.is_album:
            save_pages(
                results,
                out,
                'photo',
                file.count,
                result_bytes=file.result_bytes,
                run=lambda: run_facts(started),
            )
        else:
            save_result(next(results), out, 'photo')
        return file.count


def complete(out: Path, pages: int) -> str:
    """What is wrong with a folder of results."""
    names = sorted(os.listdir(out))
    if pages == 0:
        return f'left behind: {names}' if names else ''
    maps = (
        ['photo.labels.png']
        if pages == 1
        else [f'photo.p{page:04d}.labels.png' for page in range(pages)]
    )
    if names != ['photo.color.tif', *maps, 'photo.sdcolor.json']:
        return f'written: {names[:9]}'
    content = read_sidecar(out / 'photo.sdcolor.json')
    data = (out / 'photo.color.tif').read_bytes()
    if content['result']['sha256'] != hashlib.sha256(data).hexdigest():
        return 'the sidecar tells another hash'
    return ''


def work(colorizer: Colorizer, name: str, data: bytes, folder: Path) -> dict:
    path, out = folder / name, folder / 'out'
    path.write_bytes(data)
    out.mkdir()
    before = (hashlib.sha256(data).hexdigest(), path.stat().st_mtime_ns)
    started, pages, refused = time.monotonic(), 0, ''
    try:
        pages = color(colorizer, path, out)
    except SdcolorError as error:
        refused = str(error)
    told = {
        'pages': pages,
        'refused': refused,
        'seconds': round(time.monotonic() - started, 2),
        'trouble': complete(out, pages),
    }
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    if (after, path.stat().st_mtime_ns) != before:
        told['trouble'] = 'the file was changed'
    for written in out.iterdir():
        written.unlink()
    out.rmdir()
    path.unlink()
    return told


def main() -> None:
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    start, stop, seconds = (int(word) for word in sys.argv[3:6])
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    colorizer = Colorizer.random(
        ColorNetConfig(widths=WIDTHS, label_channels=2),
        grid=GridNetConfig(widths=WIDTHS),
        size=64,
    )
    for name, data in files(kind, start, stop):
        print(json.dumps({'file': name}), flush=True)
        # The system ends a process that is stuck in a decoder.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        told = work(colorizer, name, data, folder)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({**told, 'megabytes': megabytes()}), flush=True)


if __name__ == '__main__':
    main()
