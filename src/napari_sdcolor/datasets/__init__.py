"""Kinds of training data, each in a module of its own."""
