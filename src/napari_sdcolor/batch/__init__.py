"""Coloring archives: many files, masters untouched, to be resumed any time.

The data flows one way: inputs → ``plan`` → tasks → ``work`` (one photo) →
outcomes → ``journal`` and ``report``. ``run`` ties them together; where the
tasks are worked on (``pipeline`` here, or a cluster) is its parameter.
"""
