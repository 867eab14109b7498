"""Whether photos come out as bright as other careful readers see them.

    python scripts/compare_readers.py IMAGES OUT [--write]

Colors everything below the folder IMAGES with ``sdcolor batch --size 64
--window type`` (white is the end of the type, as for other readers) into the
folder OUT, which must not exist, and compares the L* of each result with
what Pillow (with LittleCMS for color profiles) and libvips read from the same
file. Prints a table and names every disagreement with its reason, which stands
in ``REASONS``; one that has none there ends the program with 1. With --write
the table of docs/formats.md is replaced.

Good collections of images are the tests in the source packages of Pillow and
imagecodecs, which package indexes keep:

    pip download --no-deps --no-binary :all: pillow imagecodecs

Needs libvips for Python beside this program: pip install pyvips[binary].
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageSequence

from napari_sdcolor.archive.signatures import kind_of
from napari_sdcolor.core.lab import gray_to_lightness, rgb_to_lightness

PAGE = Path(__file__).parent.parent / 'docs' / 'formats.md'
BEGIN, END = (
    '<!-- table: compare_readers.py -->\n',
    '<!-- end of readers -->\n',
)

NEAR = 1.0
"""L* that agree."""

SHARE = 0.999
"""So many of the pixels must agree."""

NAMED = 6
"""So many files are named for each reason."""

REFUSALS = {
    'must have at least 16': 'sides under 16 pixels are no photo',
    'it is an animation': 'animations are no photo',
    'as inks (CMYK) do': 'inks (CMYK) are not read',
    'are stored as SEPARATED': 'inks (CMYK) are not read',
    'it holds a volume': 'volumes are no photo',
    'runs in a circle': 'the chain of pages runs in a circle; a single page '
    'of such a file would be read by others',
    'it holds 5 channels': 'more channels than colors and alpha',
}
"""Words in a refusal, and how they are told in the table."""

REASONS = {
    '*hopper_bad_exif.jpg*': 'the picture is damaged (1,214 bytes too many '
    'before a restart mark): others show stripes',
    '*g4_orientation_*': 'Pillow turns the picture upright; here the pixels '
    'stay as they are stored, as in libvips, and the tag is kept',
    '*RGBa*': 'Pillow divides by alpha in 8 bits, here in 16, as libvips does',
    '*.lzma.*': 'libvips is built without LZMA, ZSTD and JPEG XL and shows '
    'black',
    '*hopper_lzma*': 'libvips is built without LZMA, ZSTD and JPEG XL and '
    'shows black',
    '*.zstd.*': 'libvips is built without LZMA, ZSTD and JPEG XL and shows '
    'black',
    '*.jpegxl.*': 'libvips is built without LZMA, ZSTD and JPEG XL and shows '
    'black',
    '*rgb.tiled.jpeg2000*': 'libvips is built without JPEG 2000 in TIFF and '
    'shows black',
    '*gray.i[124].tif*': 'signed: others take negative values for high ones',
    '*separate_planar_extra*': 'signed: others take negative values for high '
    'ones',
    '*8bit.s.tif*': 'signed: others take negative values for high ones',
    '*int8_4bit*': '4 bits: black is -8 and white 7; Pillow leaves it dark',
    '*gray.u4.tif*': '32 bits: others cut off at 16',
    '*16_bit_binary_pgm*': '32 bits that hold 16: libvips cuts them off',
    '*no_rows_per_strip*': 'floats and a page that does not say which value '
    'is white: every reader has its own rule',
}
"""Patterns of file names, and why a reader sees something else there."""


@dataclass
class Seen:
    """What came of one page of one file."""

    name: str
    kind: str
    ours: str  # 'read', 'left out' or 'refused'
    why: str = ''
    pillow: str = ''  # 'agrees', 'differs', 'refuses', 'other size'
    vips: str = ''


def lightness(rgb: NDArray) -> NDArray:
    """L* of gray or color codes."""
    top = np.iinfo(rgb.dtype).max if rgb.dtype.kind == 'u' else 1
    share = rgb / top
    if share.ndim == 2:
        return gray_to_lightness(share)
    return rgb_to_lightness(share[..., :3])


def by_pillow(path: Path, page: int) -> NDArray:
    """L* as Pillow and LittleCMS see it, in stored order."""
    with Image.open(path) as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if number == page:
                return lightness(_as_srgb(frame.copy()))
    raise ValueError('no such page')


def _as_srgb(image: Image.Image) -> NDArray:
    icc = image.info.get('icc_profile')
    if image.mode.startswith('I;16'):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ('I', 'F'):
        raise ValueError(f'mode {image.mode} has no white')
    if image.mode in ('P', 'PA', '1', 'LA', 'La', 'RGBa'):
        mode = 'L' if image.mode in ('1', 'LA', 'La') else 'RGB'
        image = image.convert('RGBA' if mode == 'RGB' else 'LA')
        image = image.convert(mode) if mode == 'L' else image
    if image.mode == 'RGBA':
        # Alpha is carried along, not painted over black.
        image = Image.merge('RGB', image.split()[:3])
    if icc and image.mode in ('L', 'RGB'):
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        srgb = ImageCms.createProfile('sRGB')
        image = ImageCms.profileToProfile(
            image, profile, srgb, outputMode='RGB'
        )
    if image.mode == 'L':
        return np.asarray(image)
    return np.asarray(image.convert('RGB'))


def by_vips(path: Path, page: int) -> NDArray:
    """L* as libvips sees it, in stored order."""
    import pyvips

    options = {'page': page} if page else {}
    image = pyvips.Image.new_from_file(str(path), **options)
    deep = image.format in ('ushort', 'short')
    if image.hasalpha():
        image = image[: image.bands - 1]
    if image.get_typeof('icc-profile-data'):
        image = image.icc_transform('srgb', embedded=True, depth=8)
        deep = False
    elif image.interpretation not in ('b-w', 'srgb', 'grey16', 'rgb16'):
        image = image.colourspace('srgb')
    pixels = image.numpy()
    if pixels.dtype.kind == 'f':
        raise ValueError('floats have no white')
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    return lightness(pixels.astype(np.uint16 if deep else np.uint8))


def verdict(reader, path: Path, page: int, ours: NDArray) -> str:
    """How another reader sees a page."""
    try:
        theirs = reader(path, page)
    except Exception:  # noqa: BLE001 - whatever other programs raise
        return 'refuses'
    if theirs.shape != ours.shape:
        return 'other size'
    near = (np.abs(theirs - ours) <= NEAR).mean()
    return 'agrees' if near >= SHARE else 'differs'


def pages_of(color: Path) -> list[NDArray]:
    """L* of each page of a result."""
    with tifffile.TiffFile(color) as tif:
        return [lightness(page.asarray()) for page in tif.pages]


def copied(images: Path, folder: Path) -> Path:
    """Copies under names of which no two differ in their suffix only."""
    folder.mkdir(parents=True)
    for path in sorted(images.rglob('*')):
        if path.is_file():
            place = folder / path.relative_to(images)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place.with_name(path.name + path.suffix))
    return folder


def looked_at(images: Path, out: Path) -> list[Seen]:
    """Color everything, and compare."""
    images = copied(images, out / 'photos')
    out = out / 'results'
    command = ['sdcolor', 'batch', str(images), '-o', str(out)]
    found = subprocess.run(
        [*command, '--size', '64', '--window', 'type', '--json'],
        stdout=subprocess.PIPE,
    )
    if found.returncode == 2:
        raise SystemExit(2)
    told = json.loads((out / 'sdcolor-report.json').read_text())
    seen = []
    for photo in told['photos']:
        path = Path(photo['photo'])
        name = str(path.relative_to(images))
        kind = _kind(path)
        if photo['status'] == 'skipped':
            if kind:
                seen.append(Seen(name, kind, 'left out', photo['reason']))
            continue
        if photo['status'] != 'done':
            one = Seen(name, kind, 'refused', photo['reason'])
            blank = np.zeros((0, 0))
            one.pillow = verdict(by_pillow, path, 0, blank)
            one.vips = verdict(by_vips, path, 0, blank)
            seen.append(one)
            continue
        color = next(p for p in photo['outputs'] if p.endswith('.color.tif'))
        for number, ours in enumerate(pages_of(out / color)):
            one = Seen(name, kind, 'read', photo['understood'])
            one.pillow = verdict(by_pillow, path, number, ours)
            one.vips = verdict(by_vips, path, number, ours)
            seen.append(one)
    return seen


def _kind(path: Path) -> str:
    if not path.is_file():
        return ''
    with path.open('rb') as stream:
        return kind_of(stream.read(16))


def reason(one: Seen) -> str:
    """Why a reader sees something else; '' if nobody knows."""
    for words, told in REFUSALS.items():
        if one.ours == 'refused' and words in one.why:
            return told
    for pattern, words in REASONS.items():
        if fnmatch.fnmatch(one.name, pattern):
            return words
    return ''


def table(seen: list[Seen]) -> str:
    """Markdown: one row per kind of file."""
    head = (
        '| File | Pages read | Pillow: L* within 1 | libvips: L* within 1 | '
        'Refused | … that both others read |\n'
        '| --- | --- | --- | --- | --- | --- |\n'
    )
    rows = []
    for kind in sorted({one.kind for one in seen}):
        own = [one for one in seen if one.kind == kind]
        read = [one for one in own if one.ours == 'read']
        refused = [one for one in own if one.ours == 'refused']
        both = [
            one for one in refused if 'refuses' not in (one.pillow, one.vips)
        ]
        cells = [
            kind or 'other',
            str(len(read)),
            *(
                _share(Counter(getattr(one, name) for one in read))
                for name in ('pillow', 'vips')
            ),
            str(len(refused)),
            str(len(both)),
        ]
        rows.append(f'| {" | ".join(cells)} |\n')
    return head + ''.join(rows)


def _share(counts: Counter[str]) -> str:
    compared = counts['agrees'] + counts['differs'] + counts['other size']
    return f'{counts["agrees"]} of {compared}'


def disagreements(seen: list[Seen]) -> dict[str, list[Seen]]:
    """Those that are to be explained, by their reason."""
    found: dict[str, list[Seen]] = {}
    for one in seen:
        others = one.pillow, one.vips
        if one.ours == 'read':
            odd = {'differs', 'other size'} & set(others)
        else:
            odd = one.ours == 'refused' and 'refuses' not in others
        if odd:
            found.setdefault(reason(one), []).append(one)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('images', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--write', action='store_true')
    given = parser.parse_args()
    warnings.simplefilter('ignore')
    seen = looked_at(given.images, given.out)
    text = table(seen)
    odd = disagreements(seen)
    for words, ones in sorted(odd.items()):
        # Copies have their suffix twice.
        names = sorted({Path(one.name).stem for one in ones})
        listed = ', '.join(f'`{name}`' for name in names[:NAMED])
        if len(names) > NAMED:
            listed += f' and {len(names) - NAMED} more'
        if words:
            text += f'\n- {words}: {listed}'
    text += '\n'
    sys.stdout.write(text)
    for one in odd.get('', []):
        sys.stdout.write(
            f'unexplained: {one.name} ({one.kind}, {one.ours}; Pillow '
            f'{one.pillow}, libvips {one.vips}): {one.why}\n'
        )
    if given.write:
        page = PAGE.read_text(encoding='utf-8')
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(before + BEGIN + '\n' + text + '\n' + END + after)
    return int('' in odd)


if __name__ == '__main__':
    sys.exit(main())
