"""Errors whose text is written for the person in front of the screen."""

from __future__ import annotations


class SdcolorError(Exception):
    """Base of every error that this package raises on purpose.

    The message is a whole sentence that names the thing and, where there
    is one, the remedy.
    """


class DataError(SdcolorError):
    """Training or evaluation data that cannot be used."""


class PhotoError(SdcolorError):
    """A photo that cannot be read or that is refused."""


class LabelsError(SdcolorError, ValueError):
    """A label map that does not fit its photo or holds wrong ids."""


class WeightsError(SdcolorError):
    """Weights that are missing, damaged or made for something else."""


class DeviceError(SdcolorError):
    """A computing device that is missing or ran out of memory."""


class OutOfMemory(DeviceError):
    """A computing device whose memory does not suffice."""


class NetworkError(SdcolorError):
    """A network gave values that are no colors (NaN or infinite)."""


class PlanError(SdcolorError):
    """A batch that cannot be done as it was asked for; nothing was done."""


class ClusterError(SdcolorError):
    """Machines that cannot work together, or that are gone."""


class SaveError(SdcolorError):
    """A result that could not be written; nothing was left half-written."""


class Cancelled(SdcolorError):
    """The person pressed Stop."""


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
