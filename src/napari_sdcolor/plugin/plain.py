"""Words of other people on widgets: all of them seen, none of them HTML."""

from __future__ import annotations

import re

from napari_sdcolor.words import shown


def visible(words: str) -> str:
    """Words whose lines hide nothing, see ``napari_sdcolor.words.shown``."""
    return '\n'.join(map(shown, words.split('\n')))


def plain(words: str) -> str:
    """Words that Qt takes for plain text where nothing else can tell it so.

    Tooltips and the notices of napari show as HTML what looks like it. With
    a joiner that takes no room behind the sign, no name does.
    """
    return re.sub('[<&]', '\\g<0>\u2060', visible(words))
