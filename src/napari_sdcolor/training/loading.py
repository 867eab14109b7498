"""Batches of crops, with what could not be used on the way to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.errors import DataError
from napari_sdcolor.interrupts import leave_to_main
from napari_sdcolor.training.samples import CropDataset


@dataclass(frozen=True)
class Photos:
    """Whole photos, whose sizes differ, in one piece of memory.

    A tensor for each would cost a file handle in every reading process, and
    a transfer of its own to the device.

    Parameters
    ----------
    values
        (n,) of all photos, one after the other.
    shapes
        Of each photo, (1, h, w).
    """

    values: Tensor
    shapes: tuple[torch.Size, ...]

    @classmethod
    def of(cls, photos: Sequence[Tensor]) -> Photos:
        """Photos put together."""
        return cls(
            torch.cat([photo.flatten() for photo in photos]),
            tuple(photo.shape for photo in photos),
        )

    def __len__(self) -> int:
        return len(self.shapes)

    def __iter__(self) -> Iterator[Tensor]:
        sizes = [shape.numel() for shape in self.shapes]
        for values, shape in zip(
            self.values.split(sizes), self.shapes, strict=True
        ):
            yield values.view(shape)

    def to(self, device: torch.device, non_blocking: bool = False) -> Photos:
        """The same on another device."""
        moved = self.values.to(device, non_blocking=non_blocking)
        return replace(self, values=moved)

    def pin_memory(self) -> Photos:
        """The same where a GPU reads quickest; the loader asks for it."""
        return replace(self, values=self.values.pin_memory())


Planes = Tensor | Photos
"""One part of all crops of a batch, such as their gray values."""

Batch = tuple[list[Planes] | None, list[Skipped]]


def _collate(draws: list[tuple]) -> Batch:
    """A batch of the crops that there are, None if there is none."""
    crops = [crop for crop, _ in draws if crop is not None]
    skipped = [each for _, some in draws for each in some]
    return collate(crops) if crops else None, skipped


def collate(crops: list[tuple[Tensor, ...]]) -> list[Planes]:
    """Crops as one batch.

    Returns
    -------
    list
        A tensor for each part of a crop, ``Photos`` for whole photos.
    """
    parts = list(zip(*crops, strict=True))
    return [
        torch.stack(tensors)
        if len({tensor.shape for tensor in tensors}) == 1
        else Photos.of(tensors)
        for tensors in parts
    ]


def on_device(parts: Sequence[Planes], device: torch.device) -> list[Planes]:
    """Parts of a batch where they are computed with.

    Places on a photo, in double, stay on the CPU: not every accelerator
    has it.
    """
    return [
        part
        if isinstance(part, Tensor) and part.dtype == torch.float64
        else part.to(device, non_blocking=True)
        for part in parts
    ]


def batches(
    crops: CropDataset, step: int, device: torch.device, workers: int
) -> Iterator[Batch]:
    """All batches of a run from a step on, always the same ones.

    Parameters
    ----------
    crops
        Of the run.
    step
        The first step.
    device
        Where the batches are going to.
    workers
        Processes that read photos; 0 reads in this one.

    Raises
    ------
    DataError
        After a batch that is None, or if a reading process is gone.
    """
    recipe = crops.recipe
    loader = DataLoader(
        crops,
        batch_size=recipe.batch,
        sampler=range(step * recipe.batch, recipe.steps * recipe.batch),
        collate_fn=_collate,
        num_workers=workers,
        pin_memory=device.type == 'cuda',
        persistent_workers=workers > 0,
        worker_init_fn=leave_to_main,
        # The loader draws a number that nobody uses: not from torch's own
        # sequence, which a resumed run would then have twice.
        generator=torch.Generator(),
    )
    try:
        for number, (batch, skipped) in enumerate(loader, step):
            yield batch, skipped
            if batch is None:
                raise DataError(_all_bad(skipped[-1], number))
    except RuntimeError as error:
        if 'DataLoader worker' not in str(error):
            raise
        raise DataError(
            'A reading process was ended from outside, mostly because '
            'memory ran out. Everything up to here is saved: start the '
            'same command again with fewer --workers.'
        ) from error


def _all_bad(last: Skipped, step: int) -> str:
    saved = 'everything up to here' if step else 'nothing yet'
    return (
        'None of the photographs of a whole batch can be used. The last one '
        f'was {last.dataset}/{last.name}: {last.reason}. If the disk with '
        'the photographs is gone, bring it back and start the same command '
        f'again; {saved} is saved.'
    )
