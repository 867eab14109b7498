"""What became of one photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DONE, KNOWN, FAILED = 'done', 'known', 'failed'
"""Colored now; colored by an earlier run; not colored."""

PLANNED = 'planned'
"""In the journal only: about to be colored, so what lies at the places of
its results may be what a crash left behind."""


@dataclass(frozen=True)
class Outcome:
    """What became of one photo; picklable.

    Parameters
    ----------
    key
        Of the task.
    source
        The photo's file.
    status
        ``DONE``, ``KNOWN`` or ``FAILED``.
    reason
        Why it failed, as a sentence.
    source_sha256
        Of the photo's file.
    outputs
        Name in the task's folder and SHA-256 of every file written.
    maps
        For each page its number, None for a file of one photo, and the
        SHA-256 of the map that a person provided, None if there is none.
    own
        Settings that only this photo has, see ``own_settings``.
    confidence
        Mean probability in [0, 1] of the predicted maps, the lowest of all
        pages; None if all maps were given.
    understood
        What the photo was taken for.
    notes
        Sentences about anything unusual.
    seconds
        Time of each stage: ``read``, ``color``, ``write``.
    thumbnail
        WebP picture of photo, map and color side by side.
    """

    key: str
    source: str
    status: str
    reason: str = ''
    source_sha256: str = ''
    outputs: Mapping[str, str] = field(default_factory=dict)
    maps: tuple[tuple[int | None, str | None], ...] = ()
    own: Mapping[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    understood: str = ''
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    thumbnail: bytes = b''

    def record(self) -> dict[str, Any]:
        """For the journal; the thumbnail is kept elsewhere."""
        facts: dict[str, Any] = {
            'key': self.key,
            'source': self.source,
            'status': self.status,
        }
        if self.status == FAILED:
            return facts | {'reason': self.reason}
        return facts | {
            'source_sha256': self.source_sha256,
            'outputs': dict(self.outputs),
            'maps': [list(pair) for pair in self.maps],
            **({'own': dict(self.own)} if self.own else {}),
            'confidence': self.confidence,
            'understood': self.understood,
            'notes': list(self.notes),
            'seconds': {
                name: round(value, 4) for name, value in self.seconds.items()
            },
        }
