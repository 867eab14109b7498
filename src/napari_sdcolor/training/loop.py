"""The training loop of both networks."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Sampler

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.data import Entry
from napari_sdcolor.training.recipe import Recipe
from napari_sdcolor.training.samples import CropDataset

Report = Callable[[str], None]


def build_network(recipe: Recipe) -> ColorNet | GridNet:
    """A freshly initialized network for a recipe."""
    torch.manual_seed(recipe.seed)
    if recipe.task == 'segmentation':
        return GridNet(GridNetConfig(widths=recipe.widths))
    network = ColorNet(
        ColorNetConfig(
            widths=recipe.widths, label_channels=recipe.label_channels
        )
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, a=network.config.slope)
            if isinstance(module, nn.ConvTranspose2d):
                # A quarter of the taps meets each output pixel.
                module.weight.data.mul_(
                    2 * math.sqrt(module.out_channels / module.in_channels)
                )
    network.final_conv.weight.data.mul_(0.1)
    return network


class _From(Sampler):
    """Sample numbers first, first + 1, … so that a run can resume."""

    def __init__(self, first: int, last: int) -> None:
        self.numbers = range(first, last)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, constant, then half a cosine down to zero."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    length = recipe.cooldown * max(1, recipe.steps - recipe.warmup)
    share = 1 - (recipe.steps - step) / max(1.0, length)
    share = min(1.0, max(0.0, share))
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * share))


def color_loss(
    found: Tensor, chroma: Tensor, *, delta: float, vivid: float
) -> Tensor:
    """Huber loss on ab/128 (paper, equation 1), colorful pixels weighted.

    Parameters
    ----------
    found, chroma
        (n, 2, h, w), ab divided by 128.
    delta
        Where the loss turns from square to linear; the result is divided
        by it, so that it keeps the scale of an absolute difference.
    vivid
        See ``Recipe``; the weights are divided by their mean.
    """
    loss = functional.huber_loss(found, chroma, delta=delta, reduction='none')
    if vivid:
        strength = chroma.norm(dim=1, keepdim=True) * (128 / 32)
        weight = 1 + vivid * strength
        loss = loss * (weight / weight.mean())
    return loss.mean() / delta


def class_weights(entries: list[Entry], recipe: Recipe) -> Tensor:
    """Cross-entropy weights from class frequencies in a sample of maps."""
    counts = np.ones(N_CLASSES)
    labelled = [entry for entry in entries if entry.labels]
    for entry in labelled[:: max(1, len(labelled) // 400)]:
        labels = entry.load()[1]
        counts += np.bincount(labels.ravel(), minlength=256)[:N_CLASSES]
    share = counts / counts.sum()
    weights = np.maximum(share, 1e-4) ** -recipe.balance
    return torch.tensor(weights / (weights * share).sum()).float()


class Trainer:
    """One run: optimizer, schedule, averaging, checkpoints.

    Parameters
    ----------
    recipe
        What to train and how.
    entries
        Training photographs.
    folder
        Receives ``checkpoint.pt`` and ``log.csv``; an existing checkpoint
        there is resumed.
    device
        Where to compute.
    compile_network
        Let torch compile the network first (needs a C++ compiler).
    report
        Called with a line of progress now and then.
    """

    def __init__(
        self,
        recipe: Recipe,
        entries: list[Entry],
        folder: Path,
        *,
        device: str = 'cpu',
        compile_network: bool = False,
        workers: int = 0,
        report: Report = lambda line: None,
    ) -> None:
        self.recipe = recipe
        self.entries = entries
        self.folder = folder
        self.device = torch.device(device)
        self.workers = workers
        self.report = report
        self.network = build_network(recipe).to(
            self.device, memory_format=torch.channels_last
        )
        self.averaged = build_network(recipe).to(self.device).eval()
        self.forward = (
            torch.compile(self.network) if compile_network else self.network
        )
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=recipe.rate,
            weight_decay=recipe.decay,
        )
        if recipe.task == 'segmentation':
            self.weights = class_weights(entries, recipe).to(self.device)
        self.step = 0
        self.seconds = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self.resume()

    @property
    def checkpoint(self) -> Path:
        return self.folder / 'checkpoint.pt'

    def loss(self, batch: list[Tensor]) -> Tensor:
        """Cross-entropy over known pixels, or Huber on ab (equation 1)."""
        if self.recipe.task == 'segmentation':
            gray, labels = batch
            logits = self.forward(gray).float()
            if (labels == UNKNOWN).all():
                # Nothing to learn; the mean over no pixel would be NaN.
                return 0 * logits.sum()
            return functional.cross_entropy(
                logits,
                labels.long(),
                weight=self.weights,
                ignore_index=UNKNOWN,
                label_smoothing=self.recipe.smoothing,
            )
        gray, labels, chroma = batch
        return color_loss(
            self.forward(gray, labels).float(),
            chroma,
            delta=self.recipe.delta,
            vivid=self.recipe.vivid,
        )

    def run(self, save_every: float = 300.0) -> None:
        """Train from the current step to the recipe's last.

        Raises
        ------
        DataError
            If the loss is no number any more.
        """
        recipe = self.recipe
        loader = DataLoader(
            CropDataset(self.entries, recipe),
            batch_size=recipe.batch,
            sampler=_From(
                self.step * recipe.batch, recipe.steps * recipe.batch
            ),
            num_workers=self.workers,
            pin_memory=self.device.type == 'cuda',
        )
        started = saved = time.monotonic()
        self.network.train()
        recent: list[float] = []
        for batch in loader:
            for group in self.optimizer.param_groups:
                group['lr'] = learning_rate(recipe, self.step)
            moved = [part.to(self.device, non_blocking=True) for part in batch]
            moved[0] = moved[0].contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.device.type, torch.bfloat16):
                loss = self.loss(moved)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            self._average()
            recent.append(loss.item())
            if not math.isfinite(recent[-1]):
                raise DataError(
                    f'The loss is {recent[-1]} at step {self.step}; the last '
                    f'good state is {self.checkpoint}. Lower the rate.'
                )
            if self.step % 50 == 0:
                self._log(
                    sum(recent) / len(recent), time.monotonic() - started
                )
                recent.clear()
            if time.monotonic() - saved > save_every:
                self.save()
                saved = time.monotonic()
        self.save()

    def _average(self) -> None:
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        own = self.averaged.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                own[name].lerp_(value, 1 - decay)
            else:
                own[name].copy_(value)

    def _log(self, loss: float, seconds: float) -> None:
        path = self.folder / 'log.csv'
        new = not path.exists()
        with path.open('a', newline='') as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(('step', 'loss', 'rate', 'seconds'))
            rate = learning_rate(self.recipe, self.step)
            writer.writerow(
                (self.step, f'{loss:.5f}', f'{rate:.2e}', f'{seconds:.0f}')
            )
        self.report(
            f'step {self.step}/{self.recipe.steps}  loss {loss:.4f}  '
            f'{seconds:.0f} s'
        )

    def save(self) -> None:
        """Write the checkpoint atomically."""
        part = self.checkpoint.with_suffix('.part')
        torch.save(
            {
                'recipe': json.dumps(self.recipe.to_dict()),
                'step': self.step,
                'network': self.network.state_dict(),
                'averaged': self.averaged.state_dict(),
                'optimizer': self.optimizer.state_dict(),
            },
            part,
        )
        os.replace(part, self.checkpoint)

    def resume(self) -> None:
        """Go on from the folder's checkpoint."""
        state = torch.load(
            self.checkpoint, map_location=self.device, weights_only=True
        )
        self.network.load_state_dict(state['network'])
        self.averaged.load_state_dict(state['averaged'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.step = state['step']
        self.report(f'resumed at step {self.step}')


def with_overrides(recipe: Recipe, **changes: object) -> Recipe:
    """A recipe with some fields changed; None leaves a field alone."""
    return replace(
        recipe, **{k: v for k, v in changes.items() if v is not None}
    )
