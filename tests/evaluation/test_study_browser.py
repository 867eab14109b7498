"""The page of a user study in a real browser."""

from __future__ import annotations

import csv
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.evaluation.study.page import build
from napari_sdcolor.evaluation.study.scores import COLUMNS, Key, score_table

webdriver = pytest.importorskip('selenium.webdriver')
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

BROWSER = shutil.which('chromium') or shutil.which('chromium-browser')
DRIVER = shutil.which('chromedriver')

pytestmark = [
    pytest.mark.skipif(
        not (BROWSER and DRIVER),
        reason='needs the programs chromium and chromedriver',
    )
]

METHODS = ['Original', 'Ours']
PHOTOS = 3


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of three photos in two colors each, and its key."""
    folder = tmp_path_factory.mktemp('study')
    rng = np.random.default_rng(0)
    rows = [
        {
            'name': f'made/{number}',
            'gray': np.full((60, 90, 3), 128, np.uint8),
            'pictures': {
                name: rng.integers(0, 256, (60, 90, 3), np.uint8)
                for name in METHODS
            },
        }
        for number in range(PHOTOS)
    ]
    page, key = build(rows, METHODS)
    (folder / 'page.html').write_bytes(page)
    (folder / 'key.json').write_bytes(key)
    (folder / 'downloads').mkdir()
    return folder


@pytest.fixture(scope='module')
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in (
        '--headless=new',
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--disable-gpu',
        '--window-size=1280,800',
        f'--user-data-dir={folder / "profile"}',
    ):
        options.add_argument(word)
    options.add_experimental_option(
        'prefs', {'download.default_directory': str(folder / 'downloads')}
    )
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, folder: Path) -> webdriver.Chrome:
    """The page as a new rater sees it."""
    browser.get((folder / 'page.html').as_uri())
    browser.execute_script('localStorage.clear()')
    # Refreshed, the page may get back what was in its fields.
    browser.get('about:blank')
    browser.get((folder / 'page.html').as_uri())
    return browser


def sliders(page: webdriver.Chrome) -> list:
    return page.find_elements(By.CSS_SELECTOR, 'input[type=range]')


def text(page: webdriver.Chrome, name: str) -> str:
    return page.find_element(By.ID, name).text


def shown(page: webdriver.Chrome) -> list[str]:
    return [each.text for each in page.find_elements(By.TAG_NAME, 'output')]


def body(page: webdriver.Chrome) -> object:
    return page.find_element(By.TAG_NAME, 'body')


def saved(folder: Path) -> Path:
    """The file that the browser downloaded last, and its name is gone."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = list((folder / 'downloads').glob('*.csv'))
        if found:
            return found[0].rename(
                folder / f'{len(list(folder.iterdir()))}-{found[0].name}'
            )
        time.sleep(0.05)
    raise AssertionError('nothing was downloaded')


def score_all(page: webdriver.Chrome, digit: str) -> None:
    for slider in sliders(page):
        slider.send_keys(digit)


def test_nothing_is_scored_at_first(page: webdriver.Chrome) -> None:
    assert text(page, 'where') == f'Photo 1 of {PHOTOS}'
    assert shown(page) == ['–'] * 6
    captions = page.find_elements(By.TAG_NAME, 'figcaption')
    assert [each.text for each in captions] == [
        'The gray photo',
        'Picture A',
        'Picture B',
    ]
    images = page.find_elements(By.CSS_SELECTOR, 'figure img')
    assert all(
        page.execute_script('return arguments[0].naturalWidth', image) == 90
        for image in images
    )
    assert not [
        line
        for line in page.get_log('browser')
        if line['level'] in ('SEVERE', 'WARNING')
    ]


def test_keys_score_and_lead_on(page: webdriver.Chrome) -> None:
    first = sliders(page)[0]
    first.send_keys('7')
    assert shown(page)[0] == '70'
    first.send_keys(Keys.ARROW_RIGHT)
    assert shown(page)[0] == '71'
    first.send_keys(Keys.TAB)
    second = page.switch_to.active_element
    assert second == sliders(page)[1]
    second.send_keys(Keys.ENTER)
    assert shown(page)[1] == '50'
    second.send_keys(Keys.END)
    assert shown(page)[1] == '100'
    second.send_keys(Keys.HOME)
    assert shown(page)[1] == '0'
    second.send_keys('n')
    assert text(page, 'where') == 'Photo 2 of 3'
    assert 'Photo 1 is not wholly scored' in text(page, 'said')
    assert page.switch_to.active_element == sliders(page)[0]
    page.switch_to.active_element.send_keys('p')
    assert shown(page)[:3] == ['71', '0', '–']


def test_the_mouse_scores_too(page: webdriver.Chrome) -> None:
    """A click on the middle is an answer although nothing moves."""
    sliders(page)[2].click()
    assert shown(page)[2] == '50'


def test_a_picture_is_seen_large(page: webdriver.Chrome) -> None:
    page.find_elements(By.CSS_SELECTOR, 'figure button')[1].click()
    dialog = page.find_element(By.ID, 'large')
    assert dialog.is_displayed()
    body(page).send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()


def test_closing_the_page_loses_nothing(
    page: webdriver.Chrome, folder: Path
) -> None:
    page.find_element(By.ID, 'rater').send_keys('Ana')
    score_all(page, '6')
    body(page).send_keys('n')
    sliders(page)[0].send_keys('3')
    page.get('about:blank')
    page.get((folder / 'page.html').as_uri())
    assert text(page, 'where') == 'Photo 2 of 3'
    assert shown(page) == ['30', '–', '–', '–', '–', '–']
    assert text(page, 'count') == '1 of 3 scored'
    assert page.find_element(By.ID, 'rater').get_property('value') == 'Ana'


def test_answers_become_the_papers_table(
    page: webdriver.Chrome, folder: Path
) -> None:
    page.find_element(By.ID, 'save').click()
    assert 'enter your name' in text(page, 'said')
    page.find_element(By.ID, 'rater').send_keys('=Ana, "1"')
    for photo in range(PHOTOS):
        score_all(page, str(photo + 1))
        body(page).send_keys('n')
    assert text(page, 'count') == 'All photos scored'
    page.find_element(By.ID, 'save').click()
    assert 'Thank you' in text(page, 'said')
    path = saved(folder)
    key = Key.read(folder / 'key.json')
    assert re.search(rf'answers-{key.study}-.*Ana.*\.csv$', path.name)
    with path.open(newline='', encoding='utf-8-sig') as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + 2 * PHOTOS
    result = score_table([path], key)
    assert result['raters'] == ['Ana, "1"']
    assert (result['scores'], result['empty']) == (18, 0)
    for method in METHODS:
        assert result['methods'][method]['naturalness']['mean'] == 20


def test_unfinished_answers_can_be_saved(
    page: webdriver.Chrome, folder: Path
) -> None:
    page.find_element(By.ID, 'rater').send_keys('Ben')
    sliders(page)[0].send_keys('8')
    page.find_element(By.ID, 'save').click()
    assert '3 of 3 photos are not wholly scored' in text(page, 'said')
    result = score_table([saved(folder)], Key.read(folder / 'key.json'))
    assert (result['scores'], result['empty']) == (1, 17)


def test_start_again_asks_first(page: webdriver.Chrome) -> None:
    score_all(page, '9')
    page.find_element(By.ID, 'again').click()
    page.switch_to.alert.dismiss()
    assert shown(page) == ['90'] * 6
    page.find_element(By.ID, 'again').click()
    page.switch_to.alert.accept()
    assert shown(page) == ['–'] * 6
