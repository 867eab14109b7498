"""The dock "Archive": whole folders, and the photos that need a person.

Views ask, ``coordinator`` answers. ``work`` is what happens off the GUI
thread, ``open_photo`` is where one photo after the other lies open for
correction.
"""
