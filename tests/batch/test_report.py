"""The report: for programs, and for people in a real browser."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from PIL import Image

from napari_sdcolor.batch import report
from napari_sdcolor.batch.find import Found
from napari_sdcolor.batch.journal import Journal
from napari_sdcolor.batch.outcome import FAILED, Outcome
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.report import write_report
from napari_sdcolor.batch.task import Task
from napari_sdcolor.classes import CLASSES
from napari_sdcolor.words import shown

NASTY = '</script><script>document.title="broken"</script>'


def build(folder: Path, count: int, confidence: float = 0.3) -> list[Path]:
    """A report of so many photos, of which some failed, without networks."""
    stream = io.BytesIO()
    Image.new('RGB', (366, 90), 'teal').save(stream, 'WEBP')
    picture = stream.getvalue()
    folder.mkdir()
    tasks = [
        Task(f'box {n % 7}/photo {n}', f'scans/box {n % 7}/photo {n}.tif', '')
        for n in range(count)
    ]
    tasks.append(Task(NASTY, f'scans/{NASTY}.tif', ''))
    records = []
    for number, task in enumerate(tasks):
        record = {'key': task.key, 'source': task.source}
        if number % 100 == 7:
            record |= {'status': 'failed', 'reason': 'It is broken.'}
        elif number % 100 == 8:
            record |= {'status': 'planned'}
        else:
            names = ('.color.tif', '.labels.png', '.sdcolor.json')
            name = task.name
            record |= {
                'status': 'done',
                'source_sha256': f'{number:064x}',
                'outputs': {name + suffix: '0' * 64 for suffix in names},
                'maps': [[None, 'ff' if number % 100 == 9 else None]],
                'confidence': None
                if number % 100 == 9
                else (number * 37 % 1000) / 1000,
                'understood': 'gray',
                'notes': [f'note {number}'],
                'seconds': {},
                'thumbnail': [0, len(picture)],
            }
        records.append(record)
    (folder / '.sdcolor-thumbnails').write_bytes(picture)
    refused = (
        Found('scans/notes.txt', 'notes.txt', 'No photo by its content.'),
        Found('scans/closed', '', 'The folder cannot be read.', failed=True),
    )
    plan = Plan(folder, tuple(tasks), refused)
    failures = {
        tasks[0].key: Outcome(
            tasks[0].key, tasks[0].source, FAILED, 'It was changed.'
        )
    }
    with Journal(folder) as journal:
        journal.begin({'settings': {'size': 64}})
        journal.add(records)
        return list(write_report(plan, journal, failures, confidence))


def test_for_programs(tmp_path):
    paths = build(tmp_path / 'out', 300)
    content = json.loads(paths[0].read_text())
    photos = content['photos']
    assert len(photos) == 303
    statuses = [photo['status'] for photo in photos]
    assert content['summary'] == {
        'done': statuses.count('done'),
        'failed': 3 + 1 + 1,
        'needs_person': sum(photo['needs_person'] for photo in photos),
        'skipped': 1,
        'waiting': 3,
    }
    flagged = [photo for photo in photos if photo['needs_person']]
    assert all(photo['confidence'] < 0.3 for photo in flagged)
    assert photos[0]['reason'] == 'It was changed.'
    assert photos[9]['map'] == 'given'
    assert photos[1]['color'] == 'box 1/photo 1.color.tif'
    with paths[1].open(newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    assert [row['photo'] for row in rows] == [p['photo'] for p in photos]
    assert [row['status'] for row in rows] == statuses
    assert sorted(path.name for path in paths) == [
        'sdcolor-report.csv',
        'sdcolor-report.html',
        'sdcolor-report.json',
    ]


def write_again(folder: Path) -> list[str]:
    """Write the report of a folder anew; what is said."""
    said: list[str] = []
    with Journal(folder) as journal:
        write_report(Plan(folder, ()), journal, {}, 0.3, said.append)
    return said


def test_nothing_is_kept_of_what_nobody_edited(tmp_path):
    folder = tmp_path / 'out'
    build(folder, 3)
    names = sorted(os.listdir(folder))
    assert write_again(folder) == write_again(folder) == []
    assert sorted(os.listdir(folder)) == names


@pytest.mark.parametrize('kind', report.REPORTS)
def test_remarks_in_a_report_are_kept(tmp_path, kind):
    folder = tmp_path / 'out'
    build(folder, 3)
    path = folder / report.REPORTS[kind]
    for number in (1, 2):
        edited = path.read_bytes() + f'remark {number}'.encode()
        path.write_bytes(edited)
        (words,) = write_again(folder)
        place = folder / f'sdcolor-report.edited-{number}.{kind}'
        assert str(path) in words
        assert place.name in words
        assert place.read_bytes() == edited
        assert b'remark' not in path.read_bytes()
    assert write_again(folder) == []


def test_a_name_for_what_is_kept_is_never_taken_twice(tmp_path):
    folder = tmp_path / 'out'
    path = build(folder, 3)[1]
    other = folder / 'sdcolor-report.edited-1.csv'
    other.symlink_to(folder / 'nowhere')
    path.write_bytes(path.read_bytes() + b'remark')
    assert 'edited-2.csv' in write_again(folder)[0]
    assert other.is_symlink()


def test_the_reports_of_an_older_journal_are_kept_once(tmp_path):
    folder = tmp_path / 'out'
    paths = build(folder, 3)
    journal = folder / 'sdcolor-journal.jsonl'
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b''.join(x for x in lines if b'"reports"' not in x))
    assert len(write_again(folder)) == len(paths)
    assert write_again(folder) == []


def test_a_run_killed_before_a_report_has_its_name(tmp_path, monkeypatch):
    """The next one knows the report of the run before it."""
    folder = tmp_path / 'out'
    build(folder, 3)
    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError), Journal(folder) as journal:
            write_report(Plan(folder, ()), journal, {}, 0.3)
    assert write_again(folder) == []


def test_the_page_needs_nothing_beside_it(tmp_path):
    page = build(tmp_path / 'out', 20)[2].read_text()
    assert NASTY not in page
    for outside in re.findall(
        r'(?:src|href|url)\s*[=(]\s*["\']?[a-z]+:', page
    ):
        assert outside.endswith('data:')
    assert 'http' not in page.replace('http-equiv', '')


def test_a_page_has_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(report, 'MOST', 50)
    page = build(tmp_path / 'out', 300)[2].read_text()
    block = re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)
    entries = json.loads(block[1])
    assert len(entries) == 50
    assert [e['s'] for e in entries[:5]] == ['failed'] * 5
    assert {e['s'] for e in entries[5:]} == {'person'}


def test_odd_names(make_scans, out, run_plan):
    """Names of every kind come through all three files."""
    names = ['two\nlines.png', 'a;"b",c.png', 'caf\u00e9.png', '=1+1.png']
    scans = make_scans(names)
    odd = os.path.join(os.fsencode(scans), b'\xff\xfe.png')
    shutil.copy(scans / names[0], odd)
    summary = run_plan(scans, out)
    assert not summary.failed
    json_, csv_, html = summary.reports
    photos = json.loads(json_.read_text())['photos']
    assert {Path(photo['photo']).name for photo in photos} >= set(names)
    with csv_.open(newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    assert {Path(row['photo']).name for row in rows} >= set(map(shown, names))
    assert html.read_text(encoding='utf-8')


ODD = [
    os.fsdecode(b'\xff\xfe'),
    os.fsdecode(b'caf\xe9 \x80'),
    'two\nlines',
    'a:b',
    'javascript:alert(1)',
    '100% #1?',
    'red \u202efit.gnp',
    '<b>bold<img>',
    '[red]x',
    'sound\x07 \x1b[31m',
    '&amp;',
    'quote"\'',
    'back\\slash',
]
"""Names that a disk may hold, without their suffix."""


def build_odd(folder: Path) -> list[Path]:
    """A report of results that have ``ODD`` names, and these results."""
    folder.mkdir()
    records = []
    for name in ODD:
        color = f'{name}.color.tif'
        (folder / 'box \xe9').mkdir(exist_ok=True)
        (folder / 'box \xe9' / color).write_bytes(b'')
        records.append(
            {
                'key': f'box \xe9/{name}',
                'source': f'{name}.tif',
                'status': 'done',
                'outputs': {color: '0' * 64},
                'notes': [name],
            }
        )
    tasks = tuple(Task(r['key'], r['source'], '') for r in records)
    refused = (Found(f'{ODD[0]}.txt', '', f'{ODD[0]} is none.'),)
    with Journal(folder) as journal:
        journal.begin({})
        journal.add(records)
        plan = Plan(folder, tasks, refused)
        return list(write_report(plan, journal, {}, 0.3))


def test_links_lead_to_files_of_every_name(tmp_path):
    page = build_odd(tmp_path / 'out')[2].read_text(encoding='utf-8')
    block = re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)
    entries = json.loads(block[1])
    assert len(entries) == len(ODD) + 1
    for entry, name in zip(entries, ODD, strict=False):
        ((_, address),) = entry['o']
        assert re.fullmatch(r'[\w%/.~-]+', address, re.ASCII)
        path = os.fsdecode(unquote_to_bytes(address))
        assert path == f'box \xe9/{name}.color.tif'
        assert all(text.isprintable() for text in [entry['p'], *entry['n']])


def test_programs_get_the_true_names(tmp_path):
    path = build_odd(tmp_path / 'out')[0]
    photos = json.loads(path.read_bytes())['photos']
    assert path.read_bytes().isascii()
    names = [photo['photo'] for photo in photos[:-1]]
    assert names == [f'{name}.tif' for name in ODD]


def test_a_terminal_obeys_nothing_in_the_table(tmp_path):
    folder = tmp_path / 'out'
    folder.mkdir()
    name = 'a\x1b[2J\u202egnp.png'
    with Journal(folder) as journal:
        journal.begin({})
        plan = Plan(folder, (), (Found(name, '', 'b\x1b]0;c\x07'),))
        _, path, _ = write_report(plan, journal, {}, 0)
    with path.open(newline='', encoding='utf-8') as stream:
        (row,) = csv.DictReader(stream)
    assert row['photo'] == r'a\x1b[2J\u202egnp.png'
    assert row['reason'] == r'b\x1b]0;c\x07'


def test_a_spreadsheet_reads_names_as_text(tmp_path):
    folder = tmp_path / 'out'
    folder.mkdir()
    names = ['=1+1.png', ' "=cmd|x.png', '@a.png', '-a.png', '+a.png']
    refused = tuple(Found(name, '', '\t=1+1') for name in [*names, 'a=.png'])
    with Journal(folder) as journal:
        journal.begin({})
        json_, csv_, _ = write_report(
            Plan(folder, (), refused), journal, {}, 0
        )
    with csv_.open(newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    expected = [*(f"'{name}" for name in names), 'a=.png']
    assert [row['photo'] for row in rows] == expected
    assert {row['reason'] for row in rows} == {"'\\t=1+1"}
    photos = json.loads(json_.read_text())['photos']
    assert [photo['photo'] for photo in photos] == [*names, 'a=.png']


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    """A headless Chromium with a fresh profile."""
    webdriver = pytest.importorskip('selenium.webdriver')
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if not (chromium and driver):
        pytest.skip('there is no chromium with its driver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp('profile')
    for word in (
        'headless=new',
        'no-sandbox',
        'disable-gpu',
        'disable-dev-shm-usage',
        'window-size=1280,900',
        f'user-data-dir={profile}',
    ):
        options.add_argument(f'--{word}')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options, Service(driver))
    yield driver
    driver.quit()


class Page:
    """What a person does with the page."""

    def __init__(self, browser, path: Path) -> None:
        self.browser = browser
        browser.get(path.as_uri())

    def all(self, selector: str) -> list:
        return self.browser.find_elements('css selector', selector)

    def names(self) -> list[str]:
        rows = self.all('.row')
        rows.sort(key=lambda row: row.location['y'])
        return [row.find_element('css selector', '.name').text for row in rows]

    def press(self, words: str) -> None:
        (button,) = (b for b in self.all('button') if words in b.text)
        button.click()

    def sort(self, value: str) -> None:
        selector = f'#sort option[value={value}]'
        self.all(selector)[0].click()

    def type(self, text: str) -> None:
        self.all('#search')[0].clear()
        self.all('#search')[0].send_keys(text)

    def statuses(self) -> set[str]:
        return {element.text for element in self.all('.row .status')}

    def scroll(self, share: float) -> None:
        self.browser.execute_async_script(
            'const done = arguments[1], list = document.querySelector("#list");'
            'list.scrollTop = arguments[0] * list.scrollHeight;'
            'requestAnimationFrame(() => requestAnimationFrame(done));',
            share,
        )


def test_in_a_browser_with_ten_thousand_photos(browser, tmp_path):
    page = Page(browser, build(tmp_path / 'out', 10_000)[2])
    assert browser.title == 'Colored photos'
    assert '102 failed' in page.all('#summary')[0].text
    # Only what is seen is there.
    assert 5 < len(page.all('.row')) < 40
    assert len(page.all('.row img')) < 40
    first = page.all('.row img')[0]
    assert browser.execute_script('return arguments[0].naturalWidth', first)
    assert len(page.all('#legend li')) == len(CLASSES)
    page.scroll(1)
    assert 5 < len(page.all('.row')) < 40
    page.scroll(0)

    page.press('Failed')
    assert page.statuses() == {'Failed'}
    page.press('Needs a person')
    assert page.statuses() == {'Needs a person'}
    page.sort('confidence')
    bars = [b.text for b in page.all('.row > :nth-child(4)')]
    shares = [int(text.split()[0]) for text in bars]
    assert shares == sorted(shares)
    assert shares[0] == 0
    page.press('All')
    page.sort('status')
    assert page.statuses() == {'Failed'}
    page.sort('name')
    assert page.names()[1:4] == ['photo 0.tif', 'photo 7.tif', 'photo 14.tif']

    page.type('photo 9999')
    assert page.names() == ['photo 9999.tif']
    links = [a.get_attribute('href') for a in page.all('.row a')]
    assert links[0].endswith('/out/box%203/photo%209999.color.tif')
    page.type('note 1234')
    assert page.names() == ['photo 1234.tif']
    page.type('<script>')
    assert page.names() == [f'{NASTY}.tif'.rpartition('/')[2]]
    page.type('nothing like that')
    assert page.names() == []
    assert page.all('#nothing')[0].is_displayed()
    assert browser.title == 'Colored photos'
    severe = [e for e in browser.get_log('browser') if e['level'] == 'SEVERE']
    assert severe == []


def test_nothing_is_cut_off_in_a_small_window(browser, tmp_path):
    page = Page(browser, build(tmp_path / 'out', 100)[2])
    for width in (1280, 900):
        browser.set_window_size(width, 800)
        overflow = browser.execute_script(
            'return document.documentElement.scrollWidth - innerWidth'
        )
        assert overflow <= 0
        assert page.all('.row')[0].is_displayed()


def test_odd_names_in_a_browser(browser, tmp_path):
    page = Page(browser, build_odd(tmp_path / 'out')[2])
    shown = set()
    for part in range(5):
        page.scroll(part / 4)
        shown |= {
            a.get_attribute('href').rpartition('/')[2]
            for a in page.all('.row a')
        }
        assert not page.all('.name b, .name img')
    assert len(shown) == len(ODD)
    assert {os.fsdecode(unquote_to_bytes(name)) for name in shown} == {
        f'{name}.color.tif' for name in ODD
    }
    severe = [e for e in browser.get_log('browser') if e['level'] == 'SEVERE']
    assert severe == []


def test_an_empty_report(browser, tmp_path):
    folder = tmp_path / 'out'
    folder.mkdir()
    (folder / '.sdcolor-thumbnails').write_bytes(b'')
    with Journal(folder) as journal:
        journal.begin({})
        path = write_report(Plan(folder, ()), journal, {}, 0)[2]
    page = Page(browser, path)
    assert page.names() == []
    assert '0 photos colored' in page.all('#summary')[0].text
