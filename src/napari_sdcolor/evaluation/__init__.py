"""What weights are worth, in figures, plots and pictures.

Every figure is formed per photo over all pixels at the photo's own size,
then averaged over photos.
"""
