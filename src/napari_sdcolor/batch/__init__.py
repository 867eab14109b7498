"""Coloring archives: many files, masters untouched, to be resumed any time.

The data flows one way: inputs → ``find`` → ``plan`` → tasks → ``worker``
(one photo) → outcomes → ``journal`` and ``report``. ``run`` ties them
together; where the tasks are worked on is its parameter: ``pipeline`` on
this machine, or ``cluster`` with a ``cluster_worker`` in each process of
those that ``machines`` reaches. ``status`` looks on without touching
anything, ``corrections`` keeps what a person changed in between.
"""
