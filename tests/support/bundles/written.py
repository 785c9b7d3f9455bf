"""Bundles of a few bytes, written in tests of the writer."""

from dataclasses import replace

from support.bundles.small import small_contents, small_manifest

from edge_arseg.compiler.writing import NewBundle


def write_small_bundle(path, name, *, force=False, **options):
    """Write a small bundle that calls itself ``name``; return it."""
    return NewBundle(path, force=force).write(replace(small_manifest(), name=name), small_contents(), **options)


def names_in(folder):
    """Return the names in a folder, in order."""
    return sorted(child.name for child in folder.iterdir())
