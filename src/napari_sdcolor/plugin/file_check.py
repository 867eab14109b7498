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
from qtpy.QtCore import Signal

from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.placement import turned
from napari_sdcolor.plugin.provenance import (
    FACTS_KEY,
    FILE,
    LAYER,
    FileFacts,
    Match,
)
from napari_sdcolor.plugin.questions import Question, Questions
from napari_sdcolor.plugin.source import PhotoSource, source_of, understood
from napari_sdcolor.plugin.stored import Stored, layer_beside

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.plugin.chooser import PhotoChooser
    from napari_sdcolor.plugin.jobs import Jobs
    from napari_sdcolor.plugin.views.run_view import RunView

LOOK, OPEN = 'look', 'open'
"""Names of the jobs: what a file holds, and its photo as a layer."""

TURN = 'turn'
LEAVE = 'leave'

_LIES = {2: 'mirrored', 3: 'upside down', 4: 'mirrored and upside down'}
"""How a photo is stored; the others lie on their side."""

Action = Callable[[], None]


class FileCheck(Listener):
    """Looks at the file of the chosen photo, and asks what it must.

    Parameters
    ----------
    viewer
        Receives the photo of a file where its layer cannot show it.
    jobs
        The worker.
    chooser
        Knows the chosen photo.
    questions
        Asks, when nobody else does.
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
        questions: Questions,
        view: RunView,
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.jobs = jobs
        self.chooser = chooser
        self.questions = questions
        self.view = view
        self.window = 'auto'
        self._said: dict[object, str] = {}
        self._beside: dict[object, Image] = {}
        # What is to be done as soon as it is known which pixels of this
        # photo count.
        self._awaited: Image | None = None
        self._actions: list[Action] = []
        jobs.stopped.connect(self._on_job_lost)
        jobs.failed.connect(self._on_job_lost)

    def close(self) -> None:
        """The dock goes away."""
        super().close()
        self._await(None)

    def _await(self, photo: Image | None) -> None:
        """Nothing but this photo is waited for any more."""
        if self._awaited != photo:
            self._awaited, self._actions = photo, []

    # --- looking ----------------------------------------------------------

    def on_chosen(self) -> None:
        """Another photo, or none, is the chosen one."""
        photo = self.chooser.photo
        if self._awaited != photo:
            self._await(None)
        if _unknown(photo):
            self._look(photo, quiet=True)
        self.show()

    def settle(self, photo: Image | None, then: Action) -> None:
        """Call back once it is known which pixels count.

        Parameters
        ----------
        photo
            May be chosen by then as another layer, which shows the photo
            of its file.
        then
            Called at once, later, or never if the person does not answer.
        """
        self._await(photo)
        if then not in self._actions:
            self._actions.append(then)
        if not _unknown(photo):
            self._go_on(photo)
        elif not self.jobs.pending(photo.unique_id, [LOOK]):
            self._look(photo, quiet=False)

    def note(self, layer: Image, photo: Photo) -> None:
        """A photo was read: keep what was understood, and tell it."""
        self._said[layer.unique_id] = understood(photo)
        self.show()

    def show(self) -> None:
        """Tell what is known of the chosen photo, and ask what is open."""
        photo = self.chooser.photo
        self.view.understood.setText(self._words(photo))
        if photo is not None:
            self._ask(photo)

    def _words(self, photo: Image | None) -> str:
        if photo is None:
            return ''
        facts = facts_of(photo)
        found = '' if facts is None else facts.words
        return self._said.get(photo.unique_id, found)

    def _look(self, photo: Image, *, quiet: bool) -> None:
        work = partial(_look_in_worker, PhotoSource(photo), self.window)
        then = partial(self._on_looked, photo)
        # The newer one replaces a waiting one, so that Run shows progress.
        key = (LOOK, photo.unique_id)
        self.jobs.submit(
            Job(key, work, then, quiet=quiet, name=LOOK, owner=photo.unique_id)
        )

    def _on_looked(self, photo: Image, facts: FileFacts) -> None:
        if photo not in self.viewer.layers:
            return
        photo.metadata[FACTS_KEY] = facts
        self.unlisten(photo)
        self.listen(photo, [(photo.events.data, self._on_pixels_changed)])
        self.show()
        if self._awaited == photo:
            self._go_on(photo)

    def stop(self, photo: Image | None) -> None:
        """Do not look at the file of a photo, and begin nothing then."""
        if photo is not None:
            self.jobs.stop(photo.unique_id, (LOOK, OPEN))

    def _on_job_lost(self, job: Job, error: object = None) -> None:
        """What waits for it does not begin any more."""
        awaited = self._awaited
        if awaited is not None and awaited.unique_id == job.owner:
            self._await(None)

    def _on_pixels_changed(self, event: object) -> None:
        """What was found out, and answered, was about other pixels."""
        layer = event.source
        layer.metadata.pop(FACTS_KEY, None)
        self._said.pop(layer.unique_id, None)
        self.questions.withdraw(layer)
        if layer == self.chooser.photo and _unknown(layer):
            self._look(layer, quiet=True)

    # --- asking -----------------------------------------------------------

    def _go_on(self, photo: Image | None) -> None:
        """Do what waited for this photo, if nothing is open any more."""
        facts = facts_of(photo)
        if facts is not None and facts.undecided:
            self.show()
            return
        actions = self._actions
        self._awaited, self._actions = None, []
        if facts is not None and facts.needs_layer:
            self._open_beside(photo, actions)
        else:
            _do(actions)

    def _ask(self, photo: Image) -> None:
        facts = facts_of(photo)
        if facts is None:
            return
        if facts.undecided:
            words = _difference(photo, facts)
            answers = {
                FILE: 'The photo in the file',
                LAYER: 'The pixels of the layer',
            }
            then = partial(self._decide, photo, facts)
        elif facts.lies_wrong:
            how = _LIES.get(facts.orientation, 'sideways')
            words = (
                f'{photo.name} is stored {how}, and its file says so. Turn '
                'it upright here? Saved files keep the stored order and say '
                'so, too.'
            )
            answers = {TURN: 'Turn upright', LEAVE: 'Leave it'}
            then = partial(self._place, photo, facts)
        else:
            return
        self.questions.ask_last(Question(photo, None, words, answers, then))

    def _decide(self, photo: Image, facts: FileFacts, key: str) -> None:
        """Whose pixels count was answered."""
        facts.counts = key
        self._said.pop(photo.unique_id, None)
        if key == LAYER:
            facts.words = (
                'Understood: the pixels of the layer count, not those of '
                'the file.'
            )
        if self._awaited == photo:
            self._go_on(photo)
        elif facts.needs_layer:
            self._open_beside(photo, [])
        else:
            self.decided.emit(photo)
        self.show()

    def _place(self, photo: Image, facts: FileFacts, key: str) -> None:
        """How the photo should lie was answered."""
        facts.placed = True
        if key == TURN:
            photo.affine = turned(photo, facts.shape, facts.orientation)
        self.show()

    # --- a layer of the file's own ----------------------------------------

    def _open_beside(self, photo: Image, actions: list[Action]) -> None:
        """Show the photo of a file that its layer cannot show."""
        known = self._beside.get(photo.unique_id)
        if known is not None and known in self.viewer.layers:
            self._choose(known, actions)
            return
        work = partial(_read_in_worker, PhotoSource(photo))
        done = partial(self._on_read, photo, actions)
        key = (OPEN, photo.unique_id)
        self.jobs.submit(
            Job(key, work, done, name=OPEN, owner=photo.unique_id)
        )

    def _on_read(
        self, photo: Image, actions: list[Action], stored: Stored
    ) -> None:
        if photo not in self.viewer.layers:
            return
        layer = layer_beside(photo, PhotoSource(photo).path, stored)
        self._beside[photo.unique_id] = layer
        self._said[layer.unique_id] = understood(stored.photo)
        place = self.viewer.layers.index(photo) + 1
        self.viewer.layers.insert(place, layer)
        # It would lie over or under the photo, and is not what it shows.
        photo.visible = False
        self.viewer.reset_view()
        self._choose(layer, actions)

    def _choose(self, layer: Image, actions: list[Action]) -> None:
        self.chooser.choose(layer)
        _do(actions)


def _do(actions: list[Action]) -> None:
    """All that waited, in the order in which it was asked for."""
    for action in actions:
        action()


def facts_of(photo: Image | None) -> FileFacts | None:
    """What is known of the file of a photo."""
    return None if photo is None else photo.metadata.get(FACTS_KEY)


def _unknown(photo: Image | None) -> bool:
    """Nobody looked at the file of a photo yet."""
    source = source_of(photo)
    return source is not None and source.unknown


def _difference(photo: Image, facts: FileFacts) -> str:
    name = PhotoSource(photo).path.name
    shown = PhotoSource(photo).shape
    if facts.match is Match.SIZE:
        here, there = _size(shown), _size(facts.shape)
        what = (
            f'{name} holds a photo of {there} pixels, but the layer '
            f'{photo.name} shows one of {here}.'
        )
        if shown[0] * shown[1] < facts.shape[0] * facts.shape[1]:
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


def _look_in_worker(
    source: PhotoSource, choice: str, report: Report
) -> FileFacts:
    report('Reading the file of the photo…')
    return source.look_at_file(0, source.window(choice))


def _read_in_worker(source: PhotoSource, report: Report) -> Stored:
    report('Opening the photo of the file…')
    return source.stored(0)
