"""Bring the views in line with the photo that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.color_jobs import RECOLOR, RUN
from napari_sdcolor.plugin.detail import choices, cost
from napari_sdcolor.plugin.forms import show
from napari_sdcolor.plugin.notices import show_warning
from napari_sdcolor.plugin.source import PhotoSource, source_of
from napari_sdcolor.plugin.status import State, save_sentence, sentence

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_sdcolor.core.device import Device
    from napari_sdcolor.plugin.appearance import Appearance
    from napari_sdcolor.plugin.brush import BrushController
    from napari_sdcolor.plugin.color_jobs import ColorJobs
    from napari_sdcolor.plugin.jobs import Job, Jobs
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.views import Views
    from napari_sdcolor.settings import Size


class Display:
    """Says in every view what is so; decides nothing.

    Parameters
    ----------
    views
        The parts of the dock.
    brush, appearance
        Bound to the layers of the trio that is shown.
    coloring
        Knows what is under way.
    """

    def __init__(
        self,
        views: Views,
        brush: BrushController,
        appearance: Appearance,
        coloring: ColorJobs,
    ) -> None:
        self.views = views
        self.brush = brush
        self.appearance = appearance
        self.coloring = coloring
        self._details: tuple[dict[Size, str], Size] | None = None
        self._in_use: Device | None = None

    def show(self, photo: Image | None, trio: Trio | None) -> None:
        """Everything about a photo, or that there is none.

        Parameters
        ----------
        photo
            The chosen layer.
        trio
            Its trio; None if nothing was asked for it yet.
        """
        views = self.views
        self.brush.bind(None if trio is None else trio.map)
        self.appearance.bind(trio)
        views.save.set_ready(photo is not None)
        preferred = self.coloring.engine.settings()
        window, saturation, size = 'auto', preferred.saturation, preferred.size
        if trio is not None:
            window, saturation = trio.window, trio.saturation
            size = trio.detail or size
        show(views.run.window, window)
        weights = trio.weights if trio is not None else None
        views.run.set_weights(weights or preferred.weights)
        source = source_of(photo)
        views.run.all_planes.visible = source is not None and source.planes > 1
        show(views.color.saturation, saturation)
        self._show_details(size)
        self._show_cost(source, trio, size)
        self.show_plane(photo, trio)

    def show_plane(self, photo: Image | None, trio: Trio | None) -> None:
        """The shown plane: what was understood of it, areas, status."""
        views = self.views
        shares, confidence = np.zeros(N_CLASSES), None
        if trio is not None:
            confidence = trio.planes[trio.plane].confidence
            if trio.map is not None:
                labels, _ = trio.snapshot(trio.plane)
                counts = np.bincount(labels.ravel(), minlength=N_CLASSES)
                shares = counts[:N_CLASSES] / labels.size
        views.color.set_confidence(confidence)
        views.classes.set_shares(shares)
        self.show_status(photo, trio)

    def show_status(self, photo: Image | None, trio: Trio | None) -> None:
        """How things are, in words."""
        state = self.state(photo, trio)
        words = sentence(state)
        if state.busy:
            self.views.run.show_running(words)
        else:
            self.views.run.show_idle(words)
        self.views.save.words.setText(save_sentence(state))

    def state(self, photo: Image | None, trio: Trio | None) -> State:
        """How things are with a photo."""
        if photo is None:
            return State()
        jobs = self.coloring.jobs
        if trio is None:
            return _untouched(photo, jobs)
        plane = trio.plane
        known = trio.planes[plane]
        asked = [job for job in jobs.pending(trio) if not job.quiet]
        first = asked[0] if asked else None
        # A stopped task may still be winding down: that is no waiting.
        waiting = first is not None and jobs.running not in (None, first)
        running = ''
        if first is not None and not waiting:
            running = first.words or 'Starting…'
            if len(jobs.pending(trio, (RUN,))) > 1 or first.plane != plane:
                running = of_planes(trio, first, running)
        coming = bool(jobs.pending(trio, (RUN, RECOLOR)))
        now = None if trio.map is None else trio.map_inputs(plane)
        shown = known.shown
        return State(
            photo=photo.name,
            plane=plane,
            planes=trio.source.planes if trio.is_stack else 0,
            running=running,
            waiting=waiting,
            has_color=trio.color is not None,
            has_map=trio.map is not None,
            colored=shown is not None,
            painted=trio.edited_share(plane) > 0,
            outdated=not coming and now is not None and not now.same(shown),
            pixels_changed=not coming
            and shown is not None
            and shown.version != trio.version,
            misfit=trio.map is not None and not trio.map_fits(),
            live=self.coloring.live,
            outcome=known.outcome,
            save_outcome=known.save_outcome,
            changed_since=now is not None
            and known.save_inputs is not None
            and not now.same(known.save_inputs),
        )

    def _show_details(self, size: Size) -> None:
        details = (choices(size), size)
        if details != self._details:
            # Filling the list again would close it in a person's hands.
            self._details = details
            self.views.run.set_details(*details)

    def _show_cost(
        self, source: PhotoSource | None, trio: Trio | None, size: Size
    ) -> None:
        """What the chosen detail costs for a photo, and from when on."""
        # Of what is no photo, the status says what is wrong with it.
        words = '' if source is None else cost(source.photo_shape, size)
        if words and trio is not None and trio.size not in (0, size):
            words += (
                ' The map that you edited keeps its own detail; delete its '
                'layer to use another one.'
                if trio.has_work
                else ' Press Run to look again this closely.'
            )
        self.views.run.cost.setText(words)

    def show_device(self, device: Device) -> None:
        """Where the networks are going to run."""
        self.views.badge.show_device(device)

    def show_device_in_use(self, device: Device | None) -> None:
        """Where the networks run; None while they are not loaded."""
        before, self._in_use = self._in_use, device
        if device is None or device == before:
            return
        self.show_device(device)
        if before is not None and device.notes:
            # It gave up on the way.
            show_warning(' '.join(device.notes))


def of_planes(trio: Trio, job: Job, words: str) -> str:
    """Progress of one plane while others wait or are shown."""
    return f'Plane {job.plane + 1} of {trio.source.planes}: {words}'


def _untouched(photo: Image, jobs: Jobs) -> State:
    """Nothing was asked for this photo yet; its file may be looked at."""
    try:
        PhotoSource(photo)
    except PhotoError as error:
        return State(photo=photo.name, trouble=str(error))
    looks = [job for job in jobs.pending(photo.unique_id) if not job.quiet]
    running = looks[0].words or 'Starting…' if looks else ''
    return State(photo=photo.name, running=running)
