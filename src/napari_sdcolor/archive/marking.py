"""The mark: every file that is written says that a machine colored it.

It holds no clock: equal photos, maps and settings give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from napari_sdcolor._version import __version__
from napari_sdcolor.settings import DEFAULT_SOURCE_TYPE

SOFTWARE = f'napari-sdcolor {__version__}'

_GUESS = (
    'The colors were added by a machine and are a guess, not a record of the '
    'real ones.'
)

DESCRIPTION = f'{_GUESS} The lightness is that of the original photograph.'

ACCESS_COPY = (
    f'{_GUESS} This is an access copy: its lightness is that of the original '
    'photograph only as far as JPEG keeps it.'
)
"""The description of JPEG files."""

_SPACES = {
    'x': 'adobe:ns:meta/',
    'rdf': 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
    'dc': 'http://purl.org/dc/elements/1.1/',
    'xmp': 'http://ns.adobe.com/xap/1.0/',
    'xmpMM': 'http://ns.adobe.com/xap/1.0/mm/',
    'stRef': 'http://ns.adobe.com/xap/1.0/sType/ResourceRef#',
    'Iptc4xmpExt': 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
}
_LANGUAGE = '{http://www.w3.org/XML/1998/namespace}lang'
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = '\n<?xpacket end="w"?>'


@dataclass(frozen=True)
class Mark:
    """What is written into a colored file.

    Parameters
    ----------
    software
        Name and version of this package.
    description
        Plain words for a person.
    xmp
        The XMP packet in UTF-8.
    """

    software: str
    description: str
    xmp: bytes


def make_mark(
    source_sha256: str,
    description: str = DESCRIPTION,
    source_type: str = DEFAULT_SOURCE_TYPE,
) -> Mark:
    """The mark of a result.

    Parameters
    ----------
    source_sha256
        Of the photo's file; empty if it came from no file.
    description
        What the file says about its colors.
    source_type
        URI of the IPTC DigitalSourceType.
    """
    xmp = _packet(source_sha256, description, source_type)
    return Mark(SOFTWARE, description, xmp)


def is_marked(texts: Iterable[tuple[str, str]]) -> bool:
    """Whether the texts of a file say that this program colored it.

    Parameters
    ----------
    texts
        As in ``core.photo.Origin``.
    """
    return _GUESS in dict(texts).get('ImageDescription', '')


def _packet(source_sha256: str, description: str, source_type: str) -> bytes:
    for prefix, space in _SPACES.items():
        ElementTree.register_namespace(prefix, space)
    meta = ElementTree.Element(_name('x:xmpmeta'))
    rdf = ElementTree.SubElement(meta, _name('rdf:RDF'))
    about = {_name('rdf:about'): ''}
    body = ElementTree.SubElement(rdf, _name('rdf:Description'), about)
    _text(body, 'xmp:CreatorTool', SOFTWARE)
    _text(body, 'Iptc4xmpExt:DigitalSourceType', source_type)
    words = ElementTree.SubElement(body, _name('dc:description'))
    choice = ElementTree.SubElement(words, _name('rdf:Alt'))
    _text(choice, 'rdf:li', description).set(_LANGUAGE, 'x-default')
    if source_sha256:
        resource = {_name('rdf:parseType'): 'Resource'}
        derived = ElementTree.SubElement(
            body, _name('xmpMM:DerivedFrom'), resource
        )
        _text(derived, 'stRef:documentID', f'sha256:{source_sha256}')
    ElementTree.indent(meta)
    xml = ElementTree.tostring(meta, encoding='unicode')
    return f'{_HEAD}{xml}{_TAIL}'.encode()


def _name(prefixed: str) -> str:
    prefix, local = prefixed.split(':')
    return f'{{{_SPACES[prefix]}}}{local}'


def _text(
    parent: ElementTree.Element, prefixed: str, text: str
) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, _name(prefixed))
    child.text = text
    return child
