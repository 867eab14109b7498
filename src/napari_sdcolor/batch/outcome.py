"""What is known of one photo of a batch, and its line in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

DONE, KNOWN, FAILED = 'done', 'known', 'failed'
"""Colored now; colored by an earlier run; not colored."""

PLANNED = 'planned'
"""In the journal only: about to be colored, so what lies at the places of
its results may be what a crash left behind."""

BEGUN = 'begun'
"""In the journal only: in work. It stays where the process died."""

WAITING, CORRECTED = 'waiting', 'corrected'
"""Not colored yet; to be colored anew by a map that a person corrected."""

SKIPPED = 'skipped'
"""In the report only: a file of another kind."""


@dataclass(frozen=True)
class Outcome:
    """What became of one photo; picklable.

    Parameters
    ----------
    key
        Of the task; the path of a file that has none.
    source
        The photo's file.
    status
        One of the words above.
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
        Settings that only this photo has, see ``photo_settings``.
    confidence
        Mean probability in [0, 1] of the predicted maps, the lowest of all
        pages; None if all maps were given.
    understood
        What the photo was taken for.
    notes
        Sentences about anything unusual.
    damage
        What is missing of the photo, which was colored all the same.
    seconds
        Time of each stage: ``read``, ``color``, ``save``.
    thumbnail
        Picture of photo, map and color side by side, see ``thumbnails``.
    thumbnail_place
        Where the file of thumbnails holds it: start and length in bytes.
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
    damage: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    thumbnail: bytes = b''
    thumbnail_place: tuple[int, int] | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Outcome:
        """What a line of the journal says, as ``records`` reads it."""
        names = {field.name for field in fields(cls)}
        facts = {
            name: value for name, value in record.items() if name in names
        }
        place = facts.pop('thumbnail', None)
        return cls(
            **{'source': record['key']}
            | facts
            | {
                'maps': tuple(map(tuple, facts.get('maps', ()))),
                'notes': tuple(facts.get('notes', ())),
                'damage': tuple(facts.get('damage', ())),
                'thumbnail_place': tuple(place) if place else None,
            }
        )

    def record(self) -> dict[str, Any]:
        """Its line in the journal, where its thumbnail has only a place."""
        facts: dict[str, Any] = {
            'key': self.key,
            'source': self.source,
            'status': self.status,
        }
        if self.status in (PLANNED, BEGUN):
            return facts
        if self.status == FAILED:
            return facts | {'reason': self.reason}
        facts |= {
            'source_sha256': self.source_sha256,
            'outputs': dict(self.outputs),
            'maps': [list(pair) for pair in self.maps],
        }
        if self.own:
            facts['own'] = dict(self.own)
        facts |= {
            'confidence': self.confidence,
            'understood': self.understood,
            'notes': list(self.notes),
            'seconds': {
                name: round(value, 4) for name, value in self.seconds.items()
            },
        }
        if self.damage:
            facts['damage'] = list(self.damage)
        if self.thumbnail_place:
            facts['thumbnail'] = list(self.thumbnail_place)
        return facts

    def needs_person(self, confidence: float) -> bool:
        """Whether a person should look at the map.

        Parameters
        ----------
        confidence
            Maps with a lower mean confidence in [0, 1] need one.
        """
        return (
            self.status in (DONE, KNOWN)
            and self.confidence is not None
            and self.confidence < confidence
        )
