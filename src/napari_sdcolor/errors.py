"""Errors whose text is written for the person in front of the screen."""

from __future__ import annotations

import errno
import os
import pickle
import re
import struct
import zipfile
import zlib


class SdcolorError(Exception):
    """Base of every error that this package raises on purpose.

    The message is a whole sentence that names the thing and, where there
    is one, the remedy.
    """


class WrongUsage(SdcolorError):
    """What was asked for cannot be done, and nothing was done.

    Asking for something else helps, trying again does not: the command line
    ends with 2 for it, and with 1 for every other error.
    """


class DataError(SdcolorError):
    """Training or evaluation data that cannot be used."""


class UnfitData(DataError, WrongUsage):
    """A folder or split that does not hold what was asked for."""


class PhotoError(SdcolorError):
    """A photo that cannot be read or that is refused."""


class NoSuchPage(PhotoError, WrongUsage):
    """A page that the file of a photo does not have."""


class LabelsError(SdcolorError, ValueError):
    """A label map that does not fit its photo or holds wrong ids."""


class WeightsError(SdcolorError):
    """Weights that are missing, damaged or made for something else."""


class UnfitWeights(WeightsError, WrongUsage):
    """A name or file of weights that cannot be meant."""


class DeviceError(SdcolorError):
    """A computing device that is missing or ran out of memory."""


class UnfitDevice(DeviceError, WrongUsage):
    """A computing device that was chosen and is not made for the work."""


class OutOfMemory(DeviceError):
    """A computing device whose memory does not suffice."""


class NetworkError(SdcolorError):
    """A network gave values that are no colors (NaN or infinite)."""


class PlanError(WrongUsage):
    """A batch that cannot be done as it was asked for; nothing was done."""


class ClusterError(SdcolorError):
    """Machines that cannot work together, or that are gone."""


class SaveError(SdcolorError):
    """A result that could not be written; nothing was left half-written.

    Parameters
    ----------
    message
        The whole sentence.
    reason
        Why the disk did not take it, as a part of a sentence; '' if it was
        not the disk.
    """

    def __init__(self, message: str, reason: str = '') -> None:
        super().__init__(message)
        self.reason = reason


class NameTaken(SaveError):
    """A result that was not written, since its name belongs to a file."""


class FolderError(SaveError, WrongUsage):
    """An output folder that cannot be made or written into."""


class ForeignFile(SaveError, WrongUsage):
    """A name that this program writes to and that belongs to another file.

    Parameters
    ----------
    path
        The name.
    what
        What is wrong with it, as a part of a sentence.
    """

    def __init__(self, path: str | os.PathLike[str], what: str) -> None:
        super().__init__(
            f'{os.fspath(path)} is in the way: {what}, and such files are '
            'never changed. Move it away, or choose another folder or name.',
            what,
        )
        self._told = os.fspath(path), what

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), self._told


class Cancelled(SdcolorError):
    """The person pressed Stop."""


DAMAGED_PICKLE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
)
"""What the unpickler is known to raise on bytes that are no file of torch."""

FAILURES = (SdcolorError, OSError, MemoryError)
"""What a photo, a file or the machine can do to a command."""

TROUBLE = (
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SdcolorError,
    TypeError,
    ValueError,
)
"""What one photo may raise without stopping the others."""


MOST_SAID = 200
"""Letters of a library's words that still fit into a sentence."""

_OBJECTS = (
    # torch goes on to tell how its own safeguard is turned off.
    (
        re.compile(r'Weights only load failed.*', re.DOTALL),
        'it holds something other than tensors',
    ),
    # Colors of a terminal.
    (re.compile(r'\x1b\[[0-9;]*m'), ''),
    # <COMPRESSION.JPEG: 7> and <class 'float'> are worth their names.
    (re.compile(r'<([A-Za-z_]\w*\.\w+): [^<>]*>'), r'\1'),
    (re.compile(r"<class '(?:\w+\.)*(\w+)'>"), r'\1'),
    # <_io.BytesIO object at 0x7f…> tells a person nothing.
    (re.compile(r'\s*<[A-Za-z_][\w.]*[ @][^<>]*>'), ''),
)


_REASONS = {
    errno.ENOSPC: ('the disk is full', 'Free some space'),
    errno.EFBIG: ('the file would be too large', 'Save to another disk'),
    errno.EACCES: ('writing is not allowed there', 'Choose another folder'),
    errno.EPERM: ('writing is not allowed there', 'Choose another folder'),
    errno.EROFS: ('the disk is read-only', 'Choose another folder'),
    errno.ENOENT: ('its folder does not exist', 'Create the folder'),
    errno.ENOTDIR: ('its folder is no folder', 'Choose another folder'),
    errno.ENAMETOOLONG: ('the name is too long', 'Choose a shorter name'),
    errno.EEXIST: (
        'a file of that name exists and is never overwritten',
        'Move it away, or choose another folder or name',
    ),
}
if hasattr(errno, 'EDQUOT'):
    _REASONS[errno.EDQUOT] = ('your share of the disk is full', 'Free space')


def reason(error: BaseException) -> str:
    """Why something failed, as a sentence for the person."""
    if isinstance(error, SdcolorError):
        return str(error)
    if isinstance(error, MemoryError):
        return 'The memory of this machine does not suffice for it.'
    if isinstance(error, OSError) and error.filename:
        return f'{error.filename}: {said(error)}.'
    return f'{said(error)}.'


def why_not(error: OSError) -> tuple[str, str]:
    """Why something cannot be written, and the remedy, in words."""
    unknown = (said(error), 'Choose another folder')
    return _REASONS.get(error.errno, unknown)


def said(error: BaseException) -> str:
    """What another library says, fit to stand within a sentence.

    One line without a period at its end and without the objects of the
    program; the kind of the error where nothing is left to say.
    """
    words = getattr(error, 'strerror', None) or str(error)
    for pattern, instead in _OBJECTS:
        words = pattern.sub(instead, words)
    words = ' '.join(words.split())[:MOST_SAID].rstrip(' .:')
    return words or type(error).__name__
