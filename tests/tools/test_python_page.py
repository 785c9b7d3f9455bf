"""docs/python.md is what the docstrings say."""

import edge_arseg
from tools import python_page


def test_the_page_is_fresh():
    assert python_page.PAGE.read_text(encoding="utf-8") == python_page.page(), "type: make tables"


def test_every_public_name_is_in_a_group():
    named = {name for names in python_page.GROUPS.values() for name in names}
    assert named == {name for name in edge_arseg.__all__ if not name.endswith("Error") and name != "__version__"}


def test_sections_become_lists_and_blocks_code():
    doc = (
        "Do it.\n\n::\n\n    do(1)\n\nArgs:\n    one, two: the ``first``\n        and second.\n    three: last.\n\n"
        "Returns:\n    What came\n    of it.\n\nRaises:\n    OptionError: never."
    )
    assert python_page.markdown(doc) == (
        "Do it.\n\n```python\ndo(1)\n```\n\n**Args**\n\n- `one`, `two`: the `first` and second.\n- `three`: last.\n\n"
        "**Returns**\n\nWhat came of it.\n\n**Raises**\n\n- `OptionError`: never."
    )
