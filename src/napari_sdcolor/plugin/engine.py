"""The networks that the widget uses, loaded once per choice of settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari_sdcolor.core.device import Device, choose
from napari_sdcolor.errors import DeviceError
from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer


class Engine:
    """Lends the colorizer; ``get`` and ``fall_back`` are for the worker."""

    def __init__(self) -> None:
        self._loaded: tuple | None = None
        self._colorizer: Colorizer | None = None

    def settings(self) -> Settings:
        """Settings as the preferences have them now."""
        chosen = preferences.read()
        return Settings(
            device=chosen.device,
            size=chosen.size,
            weights=chosen.weights,
            memory=chosen.memory,
        )

    @property
    def in_use(self) -> Device | None:
        """The device that the loaded networks really use."""
        return None if self._colorizer is None else self._colorizer.device

    def get(self, settings: Settings) -> Colorizer:
        """The networks; loaded when they are not, or others are wanted.

        Raises
        ------
        WeightsError, DeviceError
            If they cannot be loaded.
        """
        if self._colorizer is None or _key(settings) != self._loaded:
            # The guard speaks before the engine's own import of torch fails.
            choose(settings.device)
            self._load(settings, settings.device)
        return self._colorizer

    def _load(self, settings: Settings, device: str) -> None:
        from napari_sdcolor.core.engine import Colorizer

        self._colorizer = Colorizer.load(
            settings.weights, device=device, size=settings.size
        )
        self._loaded = _key(settings)

    def fall_back(self, settings: Settings, error: DeviceError) -> Colorizer:
        """The same networks on the CPU, after their device gave up.

        Parameters
        ----------
        settings
            As given to ``get``, which lends these networks from now on.
        error
            What happened; raised again if it was the CPU.
        """
        if self.in_use is None or self.in_use.kind == 'cpu':
            raise error
        # Its memory is free before the new one asks for some.
        self._colorizer = None
        self._load(settings, 'cpu')
        words = f'{error} From now on the CPU computes.'
        device = replace(self._colorizer.device, notes=(words,))
        self._colorizer.device = device
        return self._colorizer


def _key(settings: Settings) -> tuple:
    """What networks are loaded for."""
    return settings.weights, settings.device, settings.size


def device_job(engine: Engine, then: Callable[[Device], None]) -> Job:
    """Finds out where the networks will run; torch loads in the worker."""
    task = partial(_device, engine.settings().device)
    return Job('device', task, then, quiet=True)


def _device(wanted: str, report: Report) -> Device:
    return choose(wanted)
