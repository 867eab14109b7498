"""The token of the running job."""

from __future__ import annotations

import threading

import pytest

from napari_sdcolor.core.cancel import CancelToken, check
from napari_sdcolor.errors import Cancelled


def test_without_a_job_nothing_stops() -> None:
    CancelToken().cancel()
    check()


def test_only_the_active_token_stops() -> None:
    token, other = CancelToken(), CancelToken()
    other.cancel()
    with token.active():
        check()
        token.cancel()
        with pytest.raises(Cancelled):
            check()
    check()


def test_jobs_nest() -> None:
    outer, inner = CancelToken(), CancelToken()
    outer.cancel()
    with outer.active():
        with inner.active():
            check()
        with pytest.raises(Cancelled):
            check()


def test_the_token_is_put_back_after_an_error() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled), token.active():
        check()
    check()


def test_stop_comes_from_another_thread_and_stays_in_its_own() -> None:
    token = CancelToken()
    stopped = []

    def work(own: CancelToken) -> None:
        with own.active():
            ready.set()
            go.wait(10)
            try:
                check()
            except Cancelled:
                stopped.append(own)

    free = CancelToken()
    for each in (token, free):
        ready, go = threading.Event(), threading.Event()
        worker = threading.Thread(target=work, args=(each,))
        worker.start()
        assert ready.wait(10)
        token.cancel()
        go.set()
        worker.join(10)
        assert not worker.is_alive()
    assert stopped == [token]
