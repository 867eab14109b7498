"""The training loop of both networks."""

from __future__ import annotations

import contextlib
import io
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_sdcolor.datasets.entry import Entry, Skipped
from napari_sdcolor.errors import (
    DAMAGED_PICKLE,
    DataError,
    DeviceError,
    SaveError,
    said,
)
from napari_sdcolor.interrupts import stop_signals
from napari_sdcolor.leftovers import remove_leftovers
from napari_sdcolor.own_files import replace_file
from napari_sdcolor.training import checkpoints
from napari_sdcolor.training.adversary import Adversary
from napari_sdcolor.training.heldout import HeldOut
from napari_sdcolor.training.loading import Planes, batches, on_device
from napari_sdcolor.training.losses import (
    loss_weights,
    matching_loss,
    task_loss,
)
from napari_sdcolor.training.network import (
    above_features,
    average,
    build_network,
    parameter_groups,
)
from napari_sdcolor.training.progress import Lines, Progress
from napari_sdcolor.training.recipe import Recipe, learning_rate
from napari_sdcolor.training.record import Record
from napari_sdcolor.training.samples import CropDataset

LOG_EVERY = 50
"""Steps between two rows of the log."""

RETRY = 60.0
"""Seconds until a checkpoint that could not be written is tried again."""


class Trainer:
    """One run: optimizer, schedule, averaging, checkpoints.

    Parameters
    ----------
    recipe, entries
        What to train and how, and the photographs.
    folder
        Receives ``checkpoint.pt``, ``log.csv``, ``loss.png``, ``previews``
        and ``skipped.csv``; an existing checkpoint there is resumed.
    device
        Where to compute.
    compile_network
        Let torch compile the network first (needs a C++ compiler).
    workers
        Processes that read photos; 0 reads in this one.
    report
        Called with sentences for a person.
    progress
        Called after every step. Without it ``report`` gets a line now and
        then.
    held_out
        Photographs to look at, never to learn from; may be empty.
    check_every, preview_every
        Steps between two looks at them, and between two preview sheets.
    state
        Of the folder's checkpoint, if that has been read already.
    """

    def __init__(
        self,
        recipe: Recipe,
        entries: Sequence[Entry],
        folder: Path,
        *,
        device: str = 'cpu',
        compile_network: bool = False,
        workers: int = 0,
        report: Callable[[str], None] = lambda line: None,
        progress: Callable[[Progress], None] | None = None,
        held_out: Sequence[Entry] = (),
        check_every: int = 250,
        preview_every: int = 1000,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.device = torch.device(device)
        self.workers = workers
        self.report = report
        self.progress = progress or Lines(report)
        self.check_every = check_every
        self.preview_every = preview_every
        self.network = build_network(recipe).to(
            self.device, memory_format=torch.channels_last
        )
        self.averaged = build_network(recipe).to(self.device).eval()
        self.forward = (
            torch.compile(self.network) if compile_network else self.network
        )
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.network, recipe),
            lr=recipe.rate,
            betas=recipe.betas,
            weight_decay=recipe.decay,
        )
        self.adversary = Adversary(self.device) if recipe.adversarial else None
        self.crops = CropDataset(list(entries), recipe)
        self.weights = loss_weights(entries, recipe, self.device)
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        self.record = Record(folder, recipe, report)
        unusable: list[Skipped] = []
        self.held_out: HeldOut | None = None
        try:
            self.held_out = HeldOut(held_out, recipe, self.device, unusable)
        except DataError as error:
            report(f'There will be no held-out figures: {error}')
        self.step = 0
        self.seconds = 0.0
        self.recent: list[float] = []
        if state is None and self.checkpoint.exists():
            _, state = checkpoints.read_checkpoint(folder)
        if state is not None:
            self._resume(state)
        else:
            # What a run left that ended before its first checkpoint.
            self.record.log.forget_after(-1)
        self.saved_step = self.step
        self.record.skip(unusable)

    @property
    def checkpoint(self) -> Path:
        return self.folder / checkpoints.CHECKPOINT

    @property
    def finished(self) -> bool:
        return self.step >= self.recipe.steps

    def loss(self, gray: Tensor, found: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy over known pixels, or Huber on ab (equation 1).

        The latter with what the recipe adds to it.
        """
        recipe = self.recipe
        loss = task_loss(found, target, recipe, self.weights)
        if recipe.matching:
            loss = loss + recipe.matching * matching_loss(
                self.network.features, found, target
            )
        if self.adversary:
            last = above_features(self.network).final_conv.weight
            loss = loss + recipe.adversarial * self.adversary.pull(
                gray, found, loss, last
            )
        return loss

    def run(self, save_every: float = 300.0) -> bool:
        """Train from the current step to the recipe's last.

        Ctrl+C is obeyed after the step; the state is saved then too.

        Parameters
        ----------
        save_every
            Seconds between two checkpoints.

        Returns
        -------
        bool
            Whether the last step is done; False after Ctrl+C.

        Raises
        ------
        DataError
            If the loss is no number any more (the last checkpoint is
            kept), or no photo can be read (the state is saved).
        DeviceError
            If the device runs out of memory.
        SaveError
            If the last state cannot be written.
        """
        if self.finished:
            return True
        self.network.train()
        if self.step == 0:
            self._look()
        started, first = time.monotonic(), self.step
        last = saved = started
        pause = save_every
        stop = threading.Event()
        with stop_signals(stop.set):
            for batch in self._batches():
                self._advance(batch)
                now = time.monotonic()
                self.seconds += now - last
                last = now
                pace = (now - started) / (self.step - first)
                self._tell(pace * (self.recipe.steps - self.step))
                if now - saved > pause:
                    pause = save_every if self.save() else RETRY
                    saved = time.monotonic()
                if stop.is_set():
                    break
        if not self.save():
            raise SaveError(
                f'The state of step {self.step} could not be saved in '
                f'{self.folder}. {self._kept("The one", "there")}: free some '
                'space and start the same command again; it goes on from '
                'there.'
            )
        self.record.draw_curves(self.step)
        return self.finished

    def _batches(self) -> Iterator[list[Planes]]:
        loader = batches(self.crops, self.step, self.device, self.workers)
        try:
            for batch, skipped in loader:
                self.record.skip(skipped)
                if batch is not None:
                    yield batch
        except DataError:
            # The sentence promises it.
            if self.step:
                self.save()
            raise

    def _advance(self, batch: list[Planes]) -> None:
        """One step of the optimizer.

        Raises
        ------
        DataError
            If loss or gradient are no numbers; weights are not touched.
        DeviceError
            If the device runs out of memory.
        """
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group['lr'] = group['factor'] * learning_rate(recipe, self.step)
        try:
            gray, *others, target = on_device(batch, self.device)
            gray = gray.contiguous(memory_format=torch.channels_last)
            with self._arithmetic():
                found = self.forward(gray, *others).float()
                loss = self.loss(gray, found, target)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                'The device ran out of memory. Choose a smaller --batch or '
                f'--crop. {self._kept("The state", f"in {self.checkpoint}")}.'
            ) from error
        norm = nn.utils.clip_grad_norm_(
            self.network.parameters(), recipe.clip or math.inf
        )
        amount = loss.item()
        for name, value in (('loss', amount), ('gradient', norm.item())):
            if not math.isfinite(value):
                kept = self._kept(
                    'The last good state', f'in {self.checkpoint}'
                )
                raise DataError(
                    f'The {name} is {value} at step {self.step + 1}. {kept}. '
                    'Start again with a lower rate, such as --rate '
                    f'{recipe.rate / 3:.1e}.'
                )
        self.optimizer.step()
        if self.adversary:
            self.adversary.learn(gray, found.detach(), target)
        self.step += 1
        decay = min(recipe.average, (1 + self.step) / (10 + self.step))
        average(self.averaged, self.network, decay)
        self.recent.append(amount)

    def _arithmetic(self) -> contextlib.AbstractContextManager:
        return torch.autocast(
            self.device.type,
            torch.bfloat16,
            enabled=self.recipe.precision == 'bfloat16',
        )

    def _tell(self, seconds_left: float) -> None:
        """Progress after a step; a row of the log now and then."""
        step, steps = self.step, self.recipe.steps
        mean = sum(self.recent) / len(self.recent)
        self.progress(Progress(step, steps, mean, seconds_left))
        if self.held_out and (self.finished or not step % self.check_every):
            self._look(mean)
        elif self.finished or not step % LOG_EVERY:
            self.record.write_row(step, self.seconds, mean)
        else:
            return
        self.recent.clear()

    def _look(self, loss: float | None = None) -> None:
        """Measure the held-out photos, and show some of them."""
        if self.held_out is None:
            return
        with self._arithmetic():
            figures = self.held_out.measure(self.averaged)
        self.record.write_row(self.step, self.seconds, loss, figures)
        self.record.draw_curves(self.step)
        if self.finished or not self.step % self.preview_every:
            with self._arithmetic():
                picture = self.held_out.preview(self.averaged)
            self.record.write_preview(self.step, picture)

    def save(self) -> bool:
        """Write the checkpoint, the old one staying until it is whole.

        Returns
        -------
        bool
            Whether it was written; if not, it is said why.
        """
        stream = io.BytesIO()
        torch.save(self._state(), stream)
        try:
            replace_file(
                self.checkpoint, stream.getvalue(), checkpoints.is_checkpoint
            )
        except SaveError as error:
            self.report(
                f'The state of step {self.step} was not saved: '
                f'{error.reason}. {self._kept("The one", "kept")}; '
                'it is tried again.'
            )
            return False
        self.saved_step = self.step
        return True

    def _kept(self, one: str, where: str) -> str:
        """What there is of the run, as part of a sentence on trouble."""
        if self.checkpoint.exists():
            return f'{one} of step {self.saved_step} is {where}'
        return 'Nothing of this run is saved yet'

    def _state(self) -> dict[str, Any]:
        state = {
            'recipe': json.dumps(self.recipe.to_dict()),
            'step': self.step,
            'seconds': self.seconds,
            'recent': self.recent,
            'network': self.network.state_dict(),
            'averaged': self.averaged.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            # Crops are a function of seed and number; this is for torch.
            'random': torch.get_rng_state(),
        }
        if self.adversary:
            state['adversary'] = self.adversary.state()
        if self.device.type == 'cuda':
            state['random_cuda'] = torch.cuda.get_rng_state(self.device)
        return state

    def _resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``_state`` gave."""
        try:
            self.network.load_state_dict(state['network'])
            self.averaged.load_state_dict(state['averaged'])
            self.optimizer.load_state_dict(state['optimizer'])
            for group in self.optimizer.param_groups:
                group.setdefault('factor', 1.0)
                group['betas'] = self.recipe.betas
                group['weight_decay'] = self.recipe.decay
            if self.adversary and 'adversary' in state:
                self.adversary.resume(state['adversary'])
            self.step = state['step']
            self.seconds = state.get('seconds', 0.0)
            self.recent = list(state.get('recent', ()))
            if 'random' in state:
                torch.set_rng_state(state['random'])
            if 'random_cuda' in state and self.device.type == 'cuda':
                torch.cuda.set_rng_state(state['random_cuda'], self.device)
        except torch.OutOfMemoryError:
            raise
        except DAMAGED_PICKLE as error:
            raise DataError(
                f'{self.checkpoint} is damaged or of another network '
                f'({said(error)}). Start again in another folder.'
            ) from error
        self.record.log.forget_after(self.step)
        self.report(f'resumed at step {self.step}')
