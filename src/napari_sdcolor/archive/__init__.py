"""Files: reading photos and maps, writing results with mark and sidecar.

Knows neither torch nor napari.
"""
