"""The page in a headless Chromium: what is drawn, what is asked of the network, and whether it fits."""

import os
import shutil

import pytest
from click.testing import CliRunner
from support.bench.made import full_record, write_made

from edge_arseg.cli.main import cli

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("EDGE_ARSEG_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

DRAWN = "document.querySelectorAll('.plot svg').length === document.querySelectorAll('.plot').length"
BINS = "Object.keys(specs).filter(key => key.startsWith('latency')).map(key => specs[key].data.values.length)"
SMALLEST = "Math.min(...[...document.querySelectorAll('p,td,th')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
NARROWEST = "Math.min(...[...document.querySelectorAll('tbody th')].map(e => e.getBoundingClientRect().width))"
CUT = """[...document.querySelectorAll('.plot')].flatMap(plot => {
  const right = plot.getBoundingClientRect().right
  return [...plot.querySelectorAll('svg .role-legend-label text, svg .role-axis-label text')]
    .filter(e => e.textContent && e.getBoundingClientRect().right > right + 1)
    .map(e => plot.id + ': ' + e.textContent)})"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    assert CHROMIUM, "no Chromium: install it (Debian: chromium), or set EDGE_ARSEG_CHROMIUM"
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    record = write_made(folder, *full_record())
    answer = CliRunner().invoke(cli, ["report", str(record), "-o", str(folder / "page.html")])
    assert answer.exit_code == 0, answer.output
    return folder / "page.html"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_every_plot_is_drawn_and_nothing_is_fetched(browser, page_file, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, faults, asked = context.new_page(), [], []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(page_file.as_uri())
    page.wait_for_function(DRAWN)
    assert faults == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == []
    assert page.locator(".plot").count() >= 10
    # nothing sticks out of the screen, and no letter is smaller than 10 pixels
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(SMALLEST) >= 10
    # names of runs and layers are words, not a column of letters; no legend and no axis is cut off
    assert page.evaluate(NARROWEST) >= 100
    assert page.evaluate(CUT) == []
    # four runs with labels: four points in each plot of mIoU against a cost
    for cost in ("mean-ms", "gmacs", "j-per-frame"):
        assert page.locator(f"#plot-trade-{cost} .role-mark.mark-symbol path").count() == 4, cost
    # for each run a curve of 12 distances, and 3 classes; stages: 3 of HR-only, 3 and 5 of AR, twice
    assert page.locator("#plot-distance .role-mark.mark-symbol path").count() == 4 * 12
    assert page.locator("#plot-classes .role-mark.mark-symbol path").count() == 4 * 3
    assert page.locator("#plot-stages .role-mark.mark-rect path").count() == 2 * (3 + 3 + 5)
    assert page.locator("#plot-memory-peak-mb .role-mark.mark-rect path").count() == 4
    # as many bars as bins that hold a frame, and two warnings with a time over each panel of the sensors
    for number, histogram in enumerate(page.evaluate(BINS)):
        assert page.locator(f"#plot-latency-{number} .role-mark.mark-rect path").count() == histogram > 5
    assert page.locator("#plot-timeline-1 .role-mark.mark-rect path").count() == 2
    assert page.locator("#plot-timeline-1 .role-mark.mark-line path").count() == 1
    context.close()
