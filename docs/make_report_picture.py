"""Make the picture of a batch's report for the documentation.

Colors the photographs that come with scikit-image and photographs the page
in a headless Chromium::

    python docs/make_report_picture.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from skimage import data

from napari_sdcolor.cli import app

IMAGES = Path(__file__).parent / 'images'
SAMPLES = {
    'box 1': ('astronaut', 'camera'),
    'box 2': ('chelsea', 'coffee', 'rocket'),
}


def color(folder: Path) -> Path:
    """Color the samples; the report."""
    scans = folder / 'scans'
    for box, names in SAMPLES.items():
        (scans / box).mkdir(parents=True)
        for name in names:
            image = Image.fromarray(getattr(data, name)()).convert('L')
            image.save(scans / box / f'{name}.tif')
    broken = (scans / 'box 2' / 'coffee.tif').read_bytes()[:60000]
    (scans / 'box 2' / 'cut off.tif').write_bytes(broken)
    (scans / 'box 1' / 'notes.txt').write_text('Found in the attic.')
    out = folder / 'colored'
    words = ['batch', 'scans', '-o', str(out)]
    # Its exit code tells of the broken photo.
    app(words, standalone_mode=False)
    return out / 'sdcolor-report.html'


def photograph(page: Path, picture: Path) -> None:
    """Save what a browser shows of a page."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium') or ''
    for word in ('headless=new', 'no-sandbox', 'window-size=1280,860'):
        options.add_argument(f'--{word}')
    with tempfile.TemporaryDirectory() as profile:
        options.add_argument(f'--user-data-dir={profile}')
        browser = webdriver.Chrome(
            options, Service(shutil.which('chromedriver'))
        )
        try:
            browser.get(page.as_uri())
            browser.save_screenshot(str(picture))
        finally:
            browser.quit()


if __name__ == '__main__':
    target = Path(sys.argv[1] if len(sys.argv) > 1 else IMAGES).resolve()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        report = color(Path(place))
        photograph(report, target / 'batch_report.png')
