"""Whose pixels count, those of a layer or of its file, and how they lie.

napari's own readers keep what a file stores, not what it means. When a
photo that came from a file is chosen, the file is read in the worker, and
what it says is told. Where layer and file differ, the dock asks, and Run
waits for the answer. A photo that napari shows in other axes, or only the
thumbnail of, gets a layer of its own beside the person's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.file_layer import layer_of
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.placement import turned
from napari_sdcolor.plugin.provenance import (
    FILE,
    LAYER,
    LOOK_KEY,
    Look,
    Match,
)
from napari_sdcolor.plugin.source import PhotoSource, understood

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.plugin.chooser import PhotoChooser
    from napari_sdcolor.plugin.jobs import Jobs
    from napari_sdcolor.plugin.stored import Stored
    from napari_sdcolor.plugin.views.banner import Banner
    from napari_sdcolor.plugin.views.run_view import RunView

LOOK, OPEN = 'look', 'open'
"""Names of the jobs: what a file holds, and its photo as a layer."""

TURN = 'turn'
LEAVE = 'leave'

_LIES = {2: 'mirrored', 3: 'upside down', 4: 'mirrored and upside down'}
"""How a photo is stored; the others lie on their side."""

Then = Callable[[], None]


class FileCheck(QObject):
    """Looks at the file of the chosen photo, and asks what it must.

    Parameters
    ----------
    viewer
        Receives the photo of a file where its layer cannot show it.
    jobs
        The worker.
    chooser
        Knows the chosen photo.
    banner
        Asks; shared with others.
    view
        Says what was understood.

    Signals
    -------
    decided(Image)
        The photo of a layer is another one now.
    """

    decided = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        jobs: Jobs,
        chooser: PhotoChooser,
        banner: Banner,
        view: RunView,
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.jobs = jobs
        self.chooser = chooser
        self.banner = banner
        self.view = view
        self.window = 'auto'
        self._said: dict[object, str] = {}
        self._beside: dict[object, Image] = {}
        self._looking: list[Image] = []
        self._watched: list[Image] = []
        self._asked: Image | None = None
        self._waiting: tuple[Image, list[Then]] | None = None
        banner.answered.connect(self._on_answered)
        jobs.stopped.connect(self._on_job_lost)
        jobs.failed.connect(self._on_job_lost)

    def close(self) -> None:
        """The dock goes away."""
        for layer in self._watched:
            layer.events.data.disconnect(self._on_pixels_changed)
        self._watched.clear()
        self._waiting = None

    # --- looking ----------------------------------------------------------

    def on_chosen(self) -> None:
        """Another photo, or none, is the chosen one."""
        photo = self.chooser.photo
        if self._asked is not None:
            self._asked = None
            self.banner.withdraw()
        if self._waiting is not None and self._waiting[0] != photo:
            self._waiting = None
        if _unknown(photo):
            self._look(photo, quiet=True)
        self.show()

    def settle(self, photo: Image | None, then: Then) -> None:
        """Call back once it is known which pixels count.

        Parameters
        ----------
        photo
            May be chosen by then as another layer, which shows the photo
            of its file.
        then
            Called at once, later, or never if the person does not answer.
        """
        if self._waiting is None or self._waiting[0] != photo:
            self._waiting = (photo, [])
        if then not in self._waiting[1]:
            self._waiting[1].append(then)
        if not _unknown(photo):
            self._go_on(photo)
        elif photo not in self._looking or self.jobs.idle:
            self._look(photo, quiet=False)

    def note(self, layer: Image, photo: Photo) -> None:
        """A photo was read: keep what was understood, and tell it."""
        self._said[layer.unique_id] = understood(photo)
        self.show()

    def show(self) -> None:
        """Tell what is known of the chosen photo, and ask what is open."""
        photo = self.chooser.photo
        self.view.set_understood(self._words(photo))
        if photo is not None and self.banner.isHidden():
            self._ask(photo)

    def _words(self, photo: Image | None) -> str:
        if photo is None:
            return ''
        look = _look_of(photo)
        found = '' if look is None else look.words
        return self._said.get(photo.unique_id, found)

    def _look(self, photo: Image, *, quiet: bool) -> None:
        self._looking.append(photo)
        work = partial(_look_in_worker, PhotoSource(photo), self.window)
        then = partial(self._on_looked, photo)
        # The newer one replaces a waiting one, so that Run shows progress.
        key = (LOOK, photo.unique_id)
        self.jobs.submit(
            Job(key, work, then, quiet=quiet, name=LOOK, owner=photo.unique_id)
        )

    def _on_looked(self, photo: Image, look: Look) -> None:
        self._looking = [layer for layer in self._looking if layer != photo]
        if photo not in self.viewer.layers:
            return
        photo.metadata[LOOK_KEY] = look
        if photo not in self._watched:
            self._watched.append(photo)
            photo.events.data.connect(self._on_pixels_changed)
        self.show()
        if self._waiting is not None and self._waiting[0] == photo:
            self._go_on(photo)

    def stop(self, photo: Image | None) -> None:
        """Do not look at the file of a photo, and begin nothing then."""
        if photo is not None:
            self.jobs.stop(photo.unique_id, (LOOK, OPEN))

    def _on_job_lost(self, job: Job, error: object = None) -> None:
        """What waits for it does not begin any more."""
        if job.name not in (LOOK, OPEN):
            return
        self._looking = [
            photo for photo in self._looking if photo.unique_id != job.owner
        ]
        waiting = self._waiting
        if waiting is not None and waiting[0].unique_id == job.owner:
            self._waiting = None

    def _on_pixels_changed(self, event: object) -> None:
        """What was found out, and answered, was about other pixels."""
        layer = event.source
        layer.metadata.pop(LOOK_KEY, None)
        self._said.pop(layer.unique_id, None)
        if layer == self.chooser.photo and _unknown(layer):
            if self._asked is not None:
                self._asked = None
                self.banner.withdraw()
            self._look(layer, quiet=True)

    # --- asking -----------------------------------------------------------

    def _go_on(self, photo: Image | None) -> None:
        """Do what waited for this photo, if nothing is open any more."""
        if _open_question(photo):
            self.show()
            return
        _, thens = self._waiting
        self._waiting = None
        if _needs_layer(photo):
            self._open_beside(photo, thens)
        else:
            _do(thens)

    def _ask(self, photo: Image) -> None:
        look = _look_of(photo)
        if look is None:
            return
        if _open_question(photo):
            self._asked = photo
            self.banner.ask(
                _difference(photo, look),
                {
                    FILE: 'The photo in the file',
                    LAYER: 'The pixels of the layer',
                },
            )
        elif _lies_wrong(look):
            self._asked = photo
            how = _LIES.get(look.orientation, 'sideways')
            self.banner.ask(
                f'{photo.name} is stored {how}, and its file says so. Turn '
                'it upright here? Saved files keep the stored order and say '
                'so, too.',
                {TURN: 'Turn upright', LEAVE: 'Leave it'},
            )

    def _on_answered(self, key: str) -> None:
        photo, self._asked = self._asked, None
        look = None if photo is None else _look_of(photo)
        if look is not None and photo in self.viewer.layers:
            if key in (FILE, LAYER):
                self._decide(photo, look, key)
            elif key in (TURN, LEAVE):
                look.placed = True
                if key == TURN:
                    self._turn(photo, look)
        # Whoever asked: what is open here can be asked now.
        self.show()

    def _decide(self, photo: Image, look: Look, key: str) -> None:
        look.counts = key
        self._said.pop(photo.unique_id, None)
        if key == LAYER:
            look.words = (
                'Understood: the pixels of the layer count, not those of '
                'the file.'
            )
        if self._waiting is not None and self._waiting[0] == photo:
            self._go_on(photo)
        elif _needs_layer(photo):
            self._open_beside(photo, [])
        else:
            self.decided.emit(photo)

    @staticmethod
    def _turn(photo: Image, look: Look) -> None:
        photo.affine = turned(photo, look.shape, look.orientation)

    # --- a layer of the file's own ----------------------------------------

    def _open_beside(self, photo: Image, thens: list[Then]) -> None:
        """Show the photo of a file that its layer cannot show."""
        known = self._beside.get(photo.unique_id)
        if known is not None and known in self.viewer.layers:
            self._choose(known, thens)
            return
        work = partial(_read_in_worker, PhotoSource(photo))
        done = partial(self._on_read, photo, thens)
        key = (OPEN, photo.unique_id)
        self.jobs.submit(
            Job(key, work, done, name=OPEN, owner=photo.unique_id)
        )

    def _on_read(
        self, photo: Image, thens: list[Then], stored: Stored
    ) -> None:
        if photo not in self.viewer.layers:
            return
        layer = layer_of(photo, stored)
        self._beside[photo.unique_id] = layer
        self._said[layer.unique_id] = understood(stored.photo)
        place = self.viewer.layers.index(photo) + 1
        self.viewer.layers.insert(place, layer)
        # It would lie over or under the photo, and is not what it shows.
        photo.visible = False
        self.viewer.reset_view()
        self._choose(layer, thens)

    def _choose(self, layer: Image, thens: list[Then]) -> None:
        self.chooser.choose(layer)
        _do(thens)


def _do(thens: list[Then]) -> None:
    """All that waited, in the order in which it was asked for."""
    for then in thens:
        then()


# --- what is open ---------------------------------------------------------


def _look_of(photo: Image) -> Look | None:
    return photo.metadata.get(LOOK_KEY)


def _unknown(photo: Image | None) -> bool:
    if photo is None:
        return False
    try:
        return PhotoSource(photo).unknown
    except PhotoError:
        return False


def _open_question(photo: Image | None) -> bool:
    """Layer and file differ, and nobody said which counts."""
    look = None if photo is None else _look_of(photo)
    if look is None or look.match is None or look.counts:
        return False
    return look.match in (Match.SIZE, Match.OTHER)


def _needs_layer(photo: Image | None) -> bool:
    """The photo that counts cannot be laid over this layer."""
    look = None if photo is None else _look_of(photo)
    if look is None or look.match is None or look.counts == LAYER:
        return False
    return look.match in (Match.REARRANGED, Match.SIZE)


def _lies_wrong(look: Look) -> bool:
    turned_here = look.match is Match.SAME or (
        look.match is Match.OTHER and look.counts == FILE
    )
    return turned_here and look.orientation != 1 and not look.placed


def _difference(photo: Image, look: Look) -> str:
    name = PhotoSource(photo).path.name
    shown = PhotoSource(photo).shape
    if look.match is Match.SIZE:
        here, there = _size(shown), _size(look.shape)
        what = (
            f'{name} holds a photo of {there} pixels, but the layer '
            f'{photo.name} shows one of {here}.'
        )
        if shown[0] * shown[1] < look.shape[0] * look.shape[1]:
            what += ' That may be its thumbnail.'
    else:
        what = (
            f'The pixels of {photo.name} are not those that {name} holds: '
            'one of them was changed.'
        )
    return f'{what} Which one is to be colored?'


def _size(shape: tuple[int, int]) -> str:
    return f'{shape[1]} × {shape[0]}'


# --- in the worker --------------------------------------------------------


def _look_in_worker(source: PhotoSource, choice: str, report: Report) -> Look:
    report('Reading the file of the photo…')
    return source.look_at_file(0, source.window(choice))


def _read_in_worker(source: PhotoSource, report: Report) -> Stored:
    report('Opening the photo of the file…')
    return source.stored(0)
