"""Arguments and options that several commands share.

Names, defaults, limits and help of what is a setting come from
``settings.Settings``; they are declared only there.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.cli.values import choice, limits_words, number
from napari_sdcolor.settings import (
    Settings,
    SettingsError,
    declared,
    option,
    parse_size,
)
from napari_sdcolor.settings import Size as WorkingSize

DEFAULTS = Settings()

Device = StrEnum(
    'Device', {name: name for name in declared('device').metadata['choices']}
)
"""The devices that can be asked for."""


Format = StrEnum('Format', {name: name for name in SUFFIXES})
"""File formats of colored photos."""


def _setting(name: str, **more: Any) -> Any:
    return typer.Option(
        option(name),
        help=declared(name).metadata['help'],
        rich_help_panel='Settings',
        **more,
    )


def _number_setting(name: str, metavar: str) -> Any:
    field = declared(name)
    low, high = field.metadata['minimum'], field.metadata['maximum']
    words = limits_words(low, high)
    return typer.Option(
        option(name),
        parser=number(type(field.default), low, high),
        metavar=metavar,
        help=f'{field.metadata["help"]} {words[0].upper()}{words[1:]}.',
        rich_help_panel='Settings',
    )


Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar='PHOTO…',
        help='TIFF, PNG, JPEG, WebP or JPEG 2000 files. They are only read.',
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option(
        '-o',
        '--output',
        metavar='DIR',
        file_okay=False,
        help='Folder for the results; made if it is missing. Nothing in it '
        'is ever overwritten.',
        show_default=False,
    ),
]
Form = Annotated[
    Format,
    typer.Option(
        '--format',
        **choice(Format),
        help='Of the colored photos. Only TIFF and PNG keep the lightness '
        'exactly; JPEG is an 8-bit access copy.',
    ),
]
Page = Annotated[
    int | None,
    typer.Option(
        '--page',
        parser=number(int, 0),
        metavar='N',
        help='Only this page of a multi-page file, counted from 0.',
        show_default=False,
    ),
]
AllowDamaged = Annotated[
    bool,
    typer.Option(
        '--allow-damaged',
        help='Take photos of which parts are missing as they are, instead '
        'of refusing them; what is missing is said and recorded.',
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        '--json',
        help='Write one JSON object to standard output; everything else '
        'goes to standard error.',
    ),
]


def _size(words: str | int) -> WorkingSize:
    try:
        return parse_size(str(words))
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


Size = Annotated[Any, _setting('size', metavar='N|native', parser=_size)]
Saturation = Annotated[float, _number_setting('saturation', 'X')]
Window = Annotated[str, _setting('window', metavar='WINDOW')]
Weights = Annotated[str, _setting('weights', metavar='NAME')]
SourceType = Annotated[str, _setting('source_type', metavar='TERM')]
DeviceOption = Annotated[Device, _setting('device', **choice(Device))]
DEVICE = Device(DEFAULTS.device)


class Dtype(StrEnum):
    """Data types in which the networks may compute."""

    float32 = 'float32'
    float16 = 'float16'
    bfloat16 = 'bfloat16'


DtypeOption = Annotated[
    Dtype,
    typer.Option(
        '--dtype',
        **choice(Dtype),
        help='Data type in which the networks compute. Half precision is for '
        'NVIDIA GPUs only; the colors differ a little from those of float32.',
        rich_help_panel='Settings',
    ),
]

DataFolder = Annotated[
    Path,
    typer.Option(
        '--data',
        metavar='DIR',
        exists=True,
        file_okay=False,
        help='Photographs: a training pack, PASCAL-Context, COCO-Stuff, a '
        'folder of photos with maps, or of photos alone.',
        show_default=False,
    ),
]
