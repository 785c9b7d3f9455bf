#!/usr/bin/env python3
"""Check the links of all pages; ask for external ones only when told to.

usage: python tools/links.py [--list] [--fetch]

Internal links must lead to a file, and to a heading of it. External ones are listed in docs/external_links.txt, which
--list writes: a new one is seen in a review. --fetch asks each server once.
"""

import argparse
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTED = ROOT / "docs" / "external_links.txt"
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")


def pages() -> list[Path]:
    """Return every Markdown page of the repository; hidden folders hold caches, some with a page of their own."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("edge_arseg/zoo/*.md")]
    return sorted(path for path in found if path.parent.name not in ("build", "dist", "demo"))


def links(page: Path) -> list[str]:
    """Return the targets of the links of a page, code left out."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return _LINK.findall(re.sub(r"(?<!\[)`[^`\n]*`(?!\])", "", text))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        repeat, number = slug, 0
        while repeat in found:
            number += 1
            repeat = f"{slug}-{number}"
        found.add(repeat)
    return found


def dead_links() -> Iterator[str]:
    """Yield internal links that lead nowhere."""
    for page in pages():
        for link in links(page):
            if "://" in link or link.startswith("mailto:"):
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.exists():
                yield f"{page.relative_to(ROOT)}: {link}: no such file"
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                yield f"{page.relative_to(ROOT)}: {link}: no such heading"


def external_links() -> list[str]:
    """Return every external link once, in order."""
    return sorted({link for page in pages() for link in links(page) if "://" in link})


def fetched(link: str) -> str:
    """Return what the server answers."""
    request = urllib.request.Request(link, headers={"User-Agent": "links"}, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.status)
    except (urllib.error.URLError, TimeoutError) as error:
        return str(error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--fetch", action="store_true")
    given = parser.parse_args()
    if given.list:
        LISTED.write_text("".join(f"{link}\n" for link in external_links()), encoding="utf-8")
    dead = list(dead_links())
    print("\n".join(dead) or "links: none is dead")
    if given.fetch:
        for link in external_links():
            print(f"{fetched(link):10} {link}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
