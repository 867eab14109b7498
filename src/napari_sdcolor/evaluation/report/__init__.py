"""The figures of an evaluation as tables, plots and pictures."""
