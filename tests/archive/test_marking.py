"""The mark inside the packet itself; files are in test_writing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from napari_sdcolor.archive.marking import make_mark

SHA = '0123456789abcdef' * 4


def test_packet_is_wrapped_and_well_formed():
    xmp = make_mark(SHA).xmp
    assert xmp.startswith(b'<?xpacket begin="\xef\xbb\xbf" ')
    assert xmp.endswith(b'<?xpacket end="w"?>')
    root = ElementTree.fromstring(xmp)
    assert root.tag == '{adobe:ns:meta/}xmpmeta'


def test_prefixes_are_the_usual_ones():
    """Some readers look for them instead of the namespaces."""
    xmp = make_mark(SHA).xmp.decode()
    for name in (
        'Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/',
        '/digitalsourcetype/compositeWithTrainedAlgorithmicMedia</Iptc4xmp',
        'xmpMM:DerivedFrom',
        f'stRef:documentID>sha256:{SHA}<',
        'xmp:CreatorTool>napari-sdcolor ',
        'dc:description',
        'xml:lang="x-default"',
    ):
        assert name in xmp


def test_words_are_escaped():
    words = 'Fish & <chips> “today”'
    xmp = make_mark(SHA, words).xmp
    texts = [node.text for node in ElementTree.fromstring(xmp).iter()]
    assert words in texts


def test_a_photo_from_no_file_derives_from_no_file():
    assert b'DerivedFrom' not in make_mark('').xmp


def test_there_is_no_date():
    mark = make_mark(SHA)
    assert make_mark(SHA) == mark
    # The name of IPTC's namespace holds one, which is no clock's.
    xmp = mark.xmp.replace(b'Iptc4xmpExt/2008-02-29/', b'')
    assert not re.search(rb'\d{4}[-:]\d\d[-:]\d\d', xmp)
