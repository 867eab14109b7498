"""Docks, layers, live recoloring, readers and writers: napari and Qt."""
