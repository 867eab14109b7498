"""Small pictures of a photo before and after."""

from __future__ import annotations

import io

from PIL import Image
from qtpy.QtGui import QIcon, QImage, QPixmap

from napari_sdcolor.batch.thumbnails import GAP

HEIGHT = 44
"""Of the pictures in the table, in pixels."""


def before_and_after(strip: bytes) -> QIcon:
    """The photo and its color side by side, out of a report's picture.

    Parameters
    ----------
    strip
        WebP of photo, map and color side by side. What is damaged gives an
        empty picture.
    """
    try:
        with Image.open(io.BytesIO(strip)) as image:
            whole = image.convert('RGB')
    except (OSError, ValueError, SyntaxError):
        return QIcon()
    width = (whole.width - 2 * GAP) // 3
    pair = Image.new('RGB', (2 * width + GAP, whole.height), 'gray')
    pair.paste(whole.crop((0, 0, width, whole.height)), (0, 0))
    right = (whole.width - width, 0, whole.width, whole.height)
    pair.paste(whole.crop(right), (width + GAP, 0))
    pair.thumbnail((4 * HEIGHT, HEIGHT), Image.Resampling.BOX)
    data = pair.tobytes()
    image = QImage(
        data,
        pair.width,
        pair.height,
        3 * pair.width,
        QImage.Format.Format_RGB888,
    )
    # fromImage copies, so that ``data`` may go.
    pixmap = QPixmap.fromImage(image)
    icon = QIcon(pixmap)
    # Qt would tint it in a row that is selected.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
