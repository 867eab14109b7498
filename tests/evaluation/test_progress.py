"""Lines of progress, now and then."""

from __future__ import annotations

from napari_sdcolor.evaluation.progress import Ticker


def test_lines_come_now_and_then_and_at_the_end() -> None:
    lines: list[str] = []
    now = 0.0
    ticker = Ticker(lines.append, clock=lambda: now)
    seen = []
    for item in ticker.over('photos')([7, 8, 9, 10]):
        seen.append(item)
        # The first takes 10 seconds, the next one 60, the others none.
        now += {7: 10, 8: 60}.get(item, 0)
    assert seen == [7, 8, 9, 10]
    assert lines == [
        '2 of 4 photos, about 1 minute left',
        '4 of 4 photos',
    ]


def test_nothing_to_do_says_nothing() -> None:
    lines: list[str] = []
    assert list(Ticker(lines.append).over('photos')([])) == []
    assert lines == []
