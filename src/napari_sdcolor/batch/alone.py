"""Photos in whose work a process died are colored in a process of their own.

Nobody can tell whether a photo brought the process down, by a defect of a
decoder or by the memory that it takes, or a power cut did. So such a photo is
not met first again and again, and neither is it given up: it comes after all
others, where it can bring down nothing but a helper.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from napari_sdcolor.batch.outcome import FAILED, Outcome
from napari_sdcolor.batch.task import Task
from napari_sdcolor.errors import Cancelled
from napari_sdcolor.interrupts import leave_to_main, withheld

if TYPE_CHECKING:
    from napari_sdcolor.batch.worker import Worker
    from napari_sdcolor.core.cancel import CancelToken

PATIENCE = 0.2
"""Seconds after which the helper looks whether the work was stopped."""


class Alone:
    """Colors photos in a helper process, which is started when one comes.

    Used as a context manager: the helper ends with it.

    Parameters
    ----------
    worker
        What is done with each photo.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def __call__(self, task: Task, token: CancelToken) -> Outcome:
        """Color one photo file.

        Parameters
        ----------
        task
            The photo.
        token
            When it is cancelled, the helper is ended.

        Returns
        -------
        Outcome
            A failure if the helper died.

        Raises
        ------
        Cancelled
            If the token was cancelled.
        """
        try:
            line = self._line or self._start()
            line.send_bytes(pickle.dumps(task))
            while not line.poll(PATIENCE):
                if token.cancelled:
                    self._end()
                    raise Cancelled('Stopped.')
            return pickle.loads(line.recv_bytes())
        except (EOFError, OSError):
            code = self._end()
            if token.cancelled:
                raise Cancelled('Stopped.') from None
            return Outcome(task.key, task.source, FAILED, _died(code))

    def _start(self) -> Connection:
        # Not forked: the networks' threads would not come along.
        context = multiprocessing.get_context('spawn')
        line, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs,), name='sdcolor-alone', daemon=True
        )
        with withheld():
            process.start()
        theirs.close()
        self._line, self._process = line, process
        # Only now: if the helper is gone by then, this fails. While a process
        # is started, nobody would notice, and what it is given would be
        # waited for without end.
        line.send_bytes(pickle.dumps(_of(self._worker)))
        return line

    def _end(self) -> int | None:
        """End the helper; how it ended before, if it did."""
        if self._process is None or self._line is None:
            return None
        self._line.close()
        self._process.join(1)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        self._process = self._line = None
        return code


def _of(worker: Worker) -> dict[str, Any]:
    """What makes the same worker again in another process."""
    import torch

    colorizer = worker.colorizer
    return {
        'spec': worker.spec,
        'parts': colorizer.parts,
        'device': colorizer.device.kind,
        'dtype': colorizer.dtype,
        'size': colorizer.size,
        'batch_size': worker.batch_size,
        'threads': torch.get_num_threads(),
        'several': worker.side_by_side(2) > 1,
    }


def serve(line: Connection) -> None:
    """Color what comes over a line until it is closed; runs in the helper.

    Parameters
    ----------
    line
        Takes what makes the worker, then tasks; gives outcomes.
    """
    leave_to_main(None)
    import torch

    from napari_sdcolor.batch.worker import Worker
    from napari_sdcolor.core.device import choose
    from napari_sdcolor.core.engine import Colorizer

    try:
        given = pickle.loads(line.recv_bytes())
    except (EOFError, OSError):
        return
    torch.set_num_threads(given['threads'])
    colorizer = Colorizer(
        given['parts'],
        choose(given['device']),
        given['dtype'],
        size=given['size'],
    )
    worker = Worker(given['spec'], colorizer, given['batch_size'])
    # On as many threads as its networks have beside others: bytes differ.
    with worker.threads_for(2 if given['several'] else 1) as prepare:
        prepare()
        while True:
            try:
                task = pickle.loads(line.recv_bytes())
                line.send_bytes(pickle.dumps(worker(task)))
            except (EOFError, OSError):
                return


def _died(code: int | None) -> str:
    words = 'it ended without a word'
    if code is not None and code < 0:
        try:
            words = f'the system ended it ({signal.Signals(-code).name})'
        except ValueError:
            words = f'the system ended it (signal {-code})'
    elif code:
        words = f'it ended with the code {code}'
    memory = ''
    if sys.platform == 'linux' and code == -signal.SIGKILL:
        memory = ', as it does when the memory runs out'
    return (
        'A process died in the work on this photo, and did so again when it '
        f'was colored in a process of its own: {words}{memory}. Color it on '
        'a machine with more memory, or save it anew with another program.'
    )
