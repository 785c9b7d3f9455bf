"""The page in a headless Chromium: what is seen, toggled and asked for, by one and by many."""

import os
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from support.clips.watching import next_shot, results, viewer

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("EDGE_ARSEG_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
TOKEN = "0123456789abcdef-token"
STRIPES = np.repeat(np.arange(64)[None] // 6, 48, 0).astype(np.uint8)
"""A class for every six columns, the sky to the left."""
COLOR = """([x, y]) => {
  const canvas = document.getElementById('picture')
  return [...canvas.getContext('2d').getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3)}"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    assert CHROMIUM, "no Chromium: install it (Debian: chromium), or set EDGE_ARSEG_CHROMIUM"
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def shown(open_page):
    """Pages that a run goes on behind."""
    ended, threads = threading.Event(), []

    def page(*arguments):
        server = open_page(*arguments)

        def run():
            while not ended.is_set():
                for result in results(24):
                    server.take(replace(result, class_map=STRIPES))
                    ended.wait(0.03)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return server

    yield page
    ended.set()
    for thread in threads:
        thread.join()


def opened(browser, url, faults, asked, *, width=1440, scheme="light"):
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    return page


def until_shown(page, count=3, seconds=60.0):  # a tab of many on a busy machine
    end = time.monotonic() + seconds
    while page.evaluate("window.watched ? watched.shown : 0") < count:
        assert time.monotonic() < end, page.inner_text("body")
        page.wait_for_timeout(50)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_the_page_shows_the_run_and_asks_nobody_else(browser, shown, width, scheme):
    server, faults, asked = shown(), [], []
    page = opened(browser, server.url, faults, asked, width=width, scheme=scheme)
    until_shown(page)
    assert page.inner_text("#source") == "drive.mp4"
    assert page.inner_text("#state") == "running"
    assert page.inner_text("#latency") == "5 ms"
    assert page.locator("#classes li").count() == 11
    assert page.locator("#power").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {url.partition("/")[2].partition("/")[2].partition("/")[0] for url in asked if url.startswith("http")} == {
        f"127.0.0.1:{server.address.port}"
    }
    # both kinds of frames in the timeline, in their colours
    style = "getComputedStyle(document.documentElement).getPropertyValue('{}')"
    seen = page.evaluate(
        "[...new Uint32Array(document.getElementById('timeline').getContext('2d')"
        ".getImageData(0, 0, timeline.width, timeline.height).data.buffer)]"
    )
    for name in ("--hr", "--lr"):
        hexed = page.evaluate(style.format(name)).strip()
        r, g, b = (int(hexed[i : i + 2], 16) for i in (1, 3, 5))
        assert (255 << 24 | b << 16 | g << 8 | r) in seen
    assert faults == []
    page.context.close()


def test_one_is_counted_as_one(browser, open_page):
    server = open_page()
    server.take(replace(results(1)[0], class_map=STRIPES))
    page = opened(browser, server.url, [], [])
    page.locator("#count", has_text="frame").wait_for(timeout=60_000)
    assert page.inner_text("#count") == "1 frame, 1 keyframe"
    assert page.inner_text("#viewers") == "1 viewer"
    page.context.close()


def test_a_class_is_toggled_in_the_browser_and_stays_so(browser, shown):
    server, faults = shown(), []
    page = opened(browser, server.url, faults, [])
    until_shown(page)
    page.locator("#alpha").fill("1")
    page.locator("#borders").uncheck()
    sky = page.evaluate("watched.classes[0].color")
    assert page.evaluate(COLOR, [0.02, 0.5]) == sky
    page.get_by_label("sky").first.uncheck()
    red, green, blue = page.evaluate(COLOR, [0.02, 0.5])
    assert max(abs(red - green), abs(green - blue)) < 12  # the grey picture
    page.reload()
    until_shown(page)
    assert not page.get_by_label("sky").first.is_checked()
    red, green, blue = page.evaluate(COLOR, [0.02, 0.5])
    assert max(abs(red - green), abs(green - blue)) < 12
    page.locator("#all").click()
    assert page.evaluate(COLOR, [0.02, 0.5]) == sky
    assert faults == []
    page.context.close()


def test_what_a_viewer_has_not_touched_is_left_to_the_run(browser, shown):
    """A class that was switched off kept the overlay's strength too, so that --alpha of later runs did nothing."""
    server, faults = shown(), []
    page = opened(browser, server.url, faults, [])
    until_shown(page)
    page.get_by_label("sky").first.uncheck()
    kept = "JSON.parse(localStorage.getItem('edge-arseg'))"
    assert page.evaluate(kept) == {"off": ["sky"]}
    page.locator("#borders").uncheck()
    assert page.evaluate(kept) == {"off": ["sky"], "borders": False}
    assert faults == []
    page.context.close()


def test_ten_viewers_and_a_slow_one_see_the_newest(browser, shown):
    server, faults = shown(), []
    pages = [opened(browser, server.url, faults, []) for _ in range(10)]
    for page in pages:
        until_shown(page)
    with viewer(server, max_queue=64) as stalled:  # it answers pings, as a browser does, and says no more
        counts = [page.evaluate("watched.shown") for page in pages]
        for page, count in zip(pages, counts, strict=True):
            until_shown(page, count + 5)
        assert pages[0].inner_text("#viewers") == "11 viewers"
        ages = [min(page.evaluate("watched.ages.slice(-5)")) for page in pages]
        assert max(ages) < 1000  # none of them sees what has long passed, though ten share a busy machine
        sent = [next_shot(stalled)[0]["serial"] for _ in range(2)]
        assert sent[1] < server.figures.live.frames
        with pytest.raises(TimeoutError):
            next_shot(stalled, 0.3)
    for page in pages:
        page.context.close()
    assert faults == []


def test_without_the_token_there_is_a_door_and_with_it_the_page(browser, shown):
    server, faults = shown(TOKEN), []
    page = opened(browser, f"http://127.0.0.1:{server.address.port}/", faults, [], width=390)
    page.get_by_label("token").fill("0123456789abcdef-wrong")
    page.get_by_role("button", name="watch").click()
    assert "not the token of this run" in page.inner_text("[role=alert]")
    page.get_by_label("token").fill(TOKEN)
    page.get_by_role("button", name="watch").click()
    until_shown(page)
    assert TOKEN not in page.url
    page.reload()
    until_shown(page)
    assert [fault for fault in faults if "401" not in fault] == []
    page.context.close()


def test_the_end_of_the_run_is_said(browser, shown):
    server = shown()
    page = opened(browser, server.url, [], [])
    until_shown(page)
    server.close()
    page.locator("#state[data-state=ended]").wait_for(timeout=5000)
    assert page.inner_text("#cover") == "the run has ended"
    page.context.close()


def test_a_run_that_begins_again_is_shown_from_its_first_frame_on(browser, open_page):
    before = open_page()
    page = opened(browser, before.url, [], [])
    page.locator("#state[data-state=waiting]").wait_for(timeout=30000)
    for number, result in enumerate(results(3), 1):  # the next run has not come as far by then
        before.take(replace(result, class_map=STRIPES))
        until_shown(page, number)
    before.close()
    page.locator("#state[data-state=ended]").wait_for(timeout=30000)
    again = open_page(port=before.address.port)
    page.locator("#state[data-state=waiting]").wait_for(timeout=30000)
    assert page.is_visible("#cover")  # and no picture of the run before
    assert page.inner_text("#cover") == "waiting for the source"
    seen = page.evaluate("watched.shown")
    again.take(replace(results(1)[0], class_map=STRIPES))
    until_shown(page, seen + 1)
    assert page.evaluate("watched.frame.head.serial") == 1
    assert not page.is_visible("#cover")
    page.context.close()
