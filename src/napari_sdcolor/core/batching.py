"""Several photos in one pass through a network.

Photos are worked on in threads of their own; on a GPU the networks take
several of them in one pass. Like the token of ``cancel``, the gatherer lives
in a context variable, so that the networks need no argument for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.device import (
    Device,
    free_memory,
    out_of_memory_said,
)
from napari_sdcolor.errors import TROUBLE, Cancelled, OutOfMemory
from napari_sdcolor.words import counted

PATIENCE = 0.02
"""Seconds in which a further photo may come."""

_TICK = 0.05
"""Seconds between two looks at whether the job was cancelled."""

Network = Callable[..., Tensor]
Key = tuple[Any, ...]

_active: ContextVar[Gatherer | None] = ContextVar('gatherer', default=None)


def run(network: Network, *inputs: Tensor) -> Tensor:
    """One photo through a network, with others if a gatherer is active.

    Parameters
    ----------
    network
        Takes and gives tensors (n, …), each photo for itself.
    inputs
        (1, …) each.

    Returns
    -------
    Tensor
        (1, …).

    Raises
    ------
    Cancelled
        If the active token was cancelled.
    OutOfMemory
        If the memory does not suffice for one photo either.
    """
    gatherer = _active.get()
    if gatherer is None:
        return network(*inputs)
    return gatherer.run(network, *inputs)


def alone() -> AbstractContextManager[None]:
    """Keep the device from other photos' passes, if a gatherer is active."""
    gatherer = _active.get()
    return nullcontext() if gatherer is None else gatherer.alone()


class _Request(Future[Tensor]):
    """What one photo waits for."""

    def __init__(self, inputs: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.inputs = inputs


class Gatherer:
    """Collects photos of equal shapes and runs them in one pass.

    A pass begins when as many photos wait as it takes, when every thread
    that could bring a further one waits already, or when for a moment none
    came. One of the waiting threads runs it; there is one pass at a time.

    Parameters
    ----------
    device
        Of the networks.
    size
        Photos in one pass.
    say
        Is told in words if the memory suffices for fewer only.
    patience
        Seconds in which a further photo may come.
    """

    def __init__(
        self,
        device: Device,
        size: int,
        say: Callable[[str], None] = progress.say,
        patience: float = PATIENCE,
    ) -> None:
        self.device = device
        self.size = size
        self.say = say
        self.patience = patience
        self._changed = threading.Condition()
        self._waiting: dict[Key, list[_Request]] = {}
        # By network and shapes: what a photo gets depends on nothing else.
        self._sizes: dict[Key, int] = {}
        self._inside = 0
        self._busy = False
        self._since = time.monotonic()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Gather what the networks are asked for in this thread.

        While a thread is in here, others wait for what it might bring.
        """
        if _active.get() is self:
            yield
            return
        before = _active.set(self)
        with self._changed:
            self._inside += 1
        try:
            yield
        finally:
            _active.reset(before)
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No pass runs meanwhile: tiles fill the device by themselves.

        Raises
        ------
        Cancelled
            If the active token was cancelled.
        """
        with self._changed:
            while self._busy:
                self._changed.wait(_TICK)
                cancel.check()
            self._busy = True
        try:
            yield
        finally:
            self._release()

    def run(self, network: Network, *inputs: Tensor) -> Tensor:
        """See the function ``run``."""
        request = _Request(inputs)
        key = (network, *((x.shape, x.dtype) for x in inputs))
        with self._changed:
            self._waiting.setdefault(key, []).append(request)
            self._moved()
        try:
            while not request.done():
                cancel.check()
                due = self._take(request)
                if due is not None:
                    self._pass(*due)
            return request.result()
        finally:
            self._withdraw(key, request)
            # An error holds this frame, which must not hold the error.
            del request

    def _take(self, own: _Request) -> tuple[Key, list[_Request]] | None:
        """A pass that is due; after a moment None if there is none."""
        with self._changed:
            key = None if own.done() else self._due()
            if key is None:
                if not own.done():
                    self._changed.wait(min(self.patience, _TICK))
                return None
            self._busy = True
            waiting, size = self._waiting.pop(key), self._fitting(key)
            if waiting[size:]:
                self._waiting[key] = waiting[size:]
            return key, waiting[:size]

    def _due(self) -> Key | None:
        if self._busy or not self._waiting:
            return None
        for key, waiting in self._waiting.items():
            if len(waiting) >= self._fitting(key):
                return key
        count = sum(map(len, self._waiting.values()))
        idle = time.monotonic() - self._since
        if count >= self._inside or idle >= self.patience:
            return next(iter(self._waiting))  # of those who came first
        return None

    def _pass(self, key: Key, group: list[_Request]) -> None:
        try:
            lacking = self._attempt(key, group)
            if lacking:
                free_memory(self.device)
                self._shrink(key, group, lacking)
        finally:
            self._release(key, group)

    def _attempt(self, key: Key, group: list[_Request]) -> str:
        """Run a pass; what is said if the memory does not suffice."""
        try:
            found = self._forward(key[0], group, self._fitting(key))
            self._answer(group, found)
        except Cancelled:
            # This thread's photo only; another thread goes on.
            raise
        except OutOfMemory as error:
            # Words only: the traceback holds tensors.
            return str(error)
        except TROUBLE as error:
            self._fail(group, error)
        return ''

    def _forward(
        self, network: Network, group: list[_Request], size: int
    ) -> Tensor:
        # Always as many photos: a GPU chooses its kernels by the size of a
        # pass, and with them the last bits. So the bytes of a photo depend
        # neither on its neighbors nor on where a run was interrupted.
        filled = [*group, *[group[-1]] * (size - len(group))]
        planes = zip(*(one.inputs for one in filled), strict=True)
        with torch.inference_mode(), out_of_memory_said(self.device):
            return network(*map(torch.cat, planes))

    def _shrink(self, key: Key, group: list[_Request], lacking: str) -> None:
        if self._fitting(key) == 1:
            self._fail(group, OutOfMemory(lacking))
            return
        size = self._fitting(key) // 2
        self._sizes[key] = size
        self.say(
            f'The memory sufficed for passes of {counted(size, "photo")} only: '
            'a smaller --batch-size asks for no more.'
        )

    def _answer(self, group: list[_Request], found: Tensor) -> None:
        with self._changed:
            for number, request in enumerate(group):
                if not request.done():
                    # Copies: a view would keep the others' results.
                    request.set_result(found[number : number + 1].clone())

    def _fail(self, group: list[_Request], error: Exception) -> None:
        with self._changed:
            for request in group:
                if not request.done():
                    request.set_exception(error)

    def _release(self, key: Key = (), group: Sequence[_Request] = ()) -> None:
        """Give the device free; what is not done waits again."""
        with self._changed:
            left = [request for request in group if not request.done()]
            if left:
                self._waiting[key] = left + self._waiting.get(key, [])
            self._busy = False
            self._moved()

    def _withdraw(self, key: Key, request: _Request) -> None:
        """Of a photo that was cancelled."""
        with self._changed:
            request.cancel()
            waiting = self._waiting.get(key, [])
            if request in waiting:
                waiting.remove(request)
                if not waiting:
                    del self._waiting[key]
            self._changed.notify_all()

    def _fitting(self, key: Key) -> int:
        return self._sizes.get(key, self.size)

    def _moved(self) -> None:
        self._since = time.monotonic()
        self._changed.notify_all()
