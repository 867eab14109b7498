"""What a result depends on besides the photo, the map and the weights.

Declared once here; the command line, the widget, the sidecar and napari's
preferences all read names, defaults, limits and help from these fields.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from math import isfinite
from typing import Any, Literal

from napari_sdcolor.errors import WrongUsage
from napari_sdcolor.words import listed

NATIVE = 'native'
"""The working size that is the photo's own."""

Size = int | Literal['native']

DETAILS: tuple[Size, ...] = (352, 512, 704, NATIVE)
"""Working sizes to choose from where a person would not type a number."""

NEEDS_A_PERSON = 0.74
"""Mean confidence below which a photo's map is shown to a person.

The default of a batch and of the dock *Archive*. ``sdcolor evaluate`` prints
what it finds and what it misses, for this and every other value.
"""

WINDOWS = ('auto', 'type', 'minmax')
"""Named tone windows; 'LOW,HIGH' gives the two points themselves."""

_MOST_SHOWN = 80
"""Letters of a wrong value that are shown."""

_MOST_NAMED = 5

_IPTC = 'http://cv.iptc.org/newscodes/digitalsourcetype/'

DEFAULT_SOURCE_TYPE = f'{_IPTC}compositeWithTrainedAlgorithmicMedia'
"""A picture made partly by a trained model."""

SOURCE_TYPES = (
    DEFAULT_SOURCE_TYPE,
    f'{_IPTC}trainedAlgorithmicMedia',
    f'{_IPTC}compositeSynthetic',
    f'{_IPTC}algorithmicallyEnhanced',
    f'{_IPTC}algorithmicMedia',
)
"""The IPTC terms that do not hide that a machine was at work."""


class SettingsError(WrongUsage, ValueError):
    """A setting outside its limits."""


def declare(default: Any, title: str, help_: str, **limits: Any) -> Any:
    """A field of a dataclass with all that a form or an option says of it.

    Parameters
    ----------
    default
        Its value where nobody says otherwise.
    title
        Its name in a form.
    help_
        Sentences on what it does.
    **limits
        ``minimum``, ``maximum``, ``step``; ``choices`` are all values that
        there are, ``words`` further ones than numbers, ``offered`` those of
        many that a form lists; ``acts=False`` for what no result depends on.
    """
    facts = {'title': title, 'help': help_, **limits}
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Settings:
    """Everything a person may set, with its default.

    Raises
    ------
    SettingsError
        If a value lies outside its limits.
    """

    size: Size = declare(
        352,
        'Detail',
        'Working size: short side in pixels at which the networks look at '
        "the photo, or 'native' for the photo's own. The result always has "
        'the full size of the photo.',
        minimum=64,
        maximum=2048,
        words=(NATIVE,),
        offered=DETAILS,
    )
    saturation: float = declare(
        1.0,
        'Saturation',
        'Factor on the chroma; 0 is gray, 1 is what the network says.',
        minimum=0.0,
        maximum=3.0,
        step=0.05,
    )
    window: str = declare(
        'auto',
        'Tones',
        'Tone window: which value is black and which is white. '
        "'type' is the whole range of the data type, 'minmax' the darkest "
        "and brightest pixel, 'LOW,HIGH' two values. 'auto' is the range of "
        'the type for 8 bits; for more, what the file says, else the '
        'smallest power of two above the brightest value where less than a '
        'quarter of the type is used (a 12-bit scan in 16 bits), else the '
        'type, 0 to 1 for floats; missing data has no part in it.',
        offered=WINDOWS,
    )
    device: str = declare(
        'auto',
        'Device',
        'Where the networks run.',
        choices=('auto', 'cpu', 'cuda', 'mps'),
    )
    weights: str = declare(
        'default', 'Weights', 'Name of the weights, or a safetensors file.'
    )
    source_type: str = declare(
        DEFAULT_SOURCE_TYPE,
        'Kind of source',
        'IPTC DigitalSourceType in the mark of every file: its URI or the '
        'last word of it.',
        choices=SOURCE_TYPES,
    )
    memory: int = declare(
        2048,
        'Memory for editing (MiB)',
        'Memory in MiB for what the color network computed of a photo, so '
        'that an edit computes only what changes. With less, edits take '
        'longer and the colors are the same.',
        minimum=0,
        maximum=2**20,
        acts=False,
    )

    def __post_init__(self) -> None:
        kind = self.source_type
        if isinstance(kind, str) and '/' not in kind:
            # The dataclass is frozen, but not yet handed out.
            object.__setattr__(self, 'source_type', _IPTC + kind)
        for entry in fields(self):
            _check(entry, getattr(self, entry.name))
        parse_window(self.window)

    def to_dict(self) -> dict[str, Any]:
        """All that a result depends on."""
        return {entry.name: getattr(self, entry.name) for entry in _acting()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Settings from a dictionary; unknown names are refused."""
        known = {entry.name for entry in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            names = listed(unknown, _MOST_NAMED)
            raise SettingsError(f'Unknown settings: {names}.')
        return cls(**values)

    def to_arguments(self) -> list[str]:
        """Command-line options that reproduce what is not the default."""
        words: list[str] = []
        for entry in _acting():
            value = getattr(self, entry.name)
            if value != entry.default:
                words += [option(entry.name), _plain(value)]
        return words


def option(name: str) -> str:
    """A setting's name on the command line."""
    return f'--{name.replace("_", "-")}'


def _acting() -> list[Field]:
    """The settings that a result depends on."""
    return [e for e in fields(Settings) if e.metadata.get('acts', True)]


def _plain(value: Any) -> str:
    return f'{value:g}' if isinstance(value, float) else str(value)


def _check(entry: Field, value: Any) -> None:
    limits = entry.metadata
    low, high = limits.get('minimum'), limits.get('maximum')
    words = limits.get('words', ())
    if low is not None:
        if isinstance(value, str) and value in words:
            return
        if not (_is_number(value, entry.default) and low <= value <= high):
            kind = 'whole ' if isinstance(entry.default, int) else ''
            instead = ''.join(f' or {word!r}' for word in words)
            raise SettingsError(
                f'{entry.name} must be a {kind}number between {low} and '
                f'{high}{instead}, not {_shown(value)}.'
            )
        return
    if not isinstance(value, str):
        raise SettingsError(
            f'{entry.name} must be a text, not {_shown(value)}.'
        )
    choices = limits.get('choices')
    if choices and value not in choices:
        raise SettingsError(
            f'{entry.name} must be one of {", ".join(choices)}, not '
            f'{_shown(value)}.'
        )


def _is_number(value: Any, default: float) -> bool:
    """Whether a value is a number of the kind of the default."""
    kinds = int if isinstance(default, int) else (int, float)
    # True and False are whole numbers for Python.
    return isinstance(value, kinds) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """A value within a sentence, however long it is."""
    return repr(value)[:_MOST_SHOWN]


def declared(name: str) -> Field:
    """The declaration (default, help, limits) of one setting."""
    return next(entry for entry in fields(Settings) if entry.name == name)


def parse_size(words: str) -> Size:
    """A working size as a person writes it.

    Raises
    ------
    SettingsError
        If the words are no whole number within the limits and not
        'native'.
    """
    try:
        size = int(words)
    except ValueError:
        size = words
    _check(declared('size'), size)
    return size


def window_words(window: str | tuple[float, float]) -> str:
    """A tone window as ``parse_window`` reads it back, every digit kept."""
    if isinstance(window, str):
        return window
    return f'{float(window[0])!r},{float(window[1])!r}'


def parse_window(words: str) -> str | tuple[float, float]:
    """A named tone window, or the pair behind 'LOW,HIGH'.

    Raises
    ------
    SettingsError
        If the words are neither.
    """
    if words in WINDOWS:
        return words
    try:
        low, high = (float(part) for part in words.split(','))
    except ValueError:
        low = high = 0.0
    if not (low < high and isfinite(low) and isfinite(high)):
        raise SettingsError(
            f'The tone window {_shown(words)} is none of {", ".join(WINDOWS)} and '
            'no LOW,HIGH with LOW below HIGH.'
        )
    return low, high
