"""Measure what is found in labelled texts, and what becomes of it in a stream."""
