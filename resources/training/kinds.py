# SPDX-License-Identifier: Apache-2.0
"""Sorts the tokens of a text into a few kinds that a reader recognises, to say which kinds go deep."""
import numpy as np

BLANK = "\u2581"
FUNCTION_WORDS = frozenset("""
a about after all also am an and any are as at be been before being both but by can could did do does down each either
every few for from had has have having he her here him his how i if in into is it its itself me might more most much
must my neither no nor not of off on one or other our out over own shall she should since so some such than that the
thee their them then there these they thine this those thou though through thus thy till to too under unto until up
upon us very was we were what when where whether which while who whom whose why will with within without would yet you
your
""".split())


def kinds_of(pieces: list[str]) -> np.ndarray:
    """One kind per piece, as an array of strings. A function word counts only where the word ends with its piece."""
    kinds = []
    for piece, following in zip(pieces, pieces[1:] + [""]):
        word = piece.removeprefix(BLANK)
        goes_on = following[:1].isalpha()
        if piece == "\n":
            kind = "line break"
        elif not word[:1].isalpha():
            kind = "punctuation, digits and other signs"
        elif not piece.startswith(BLANK):
            kind = "continuation of a word"
        elif word.lower() in FUNCTION_WORDS and not goes_on:
            kind = "function word"
        elif word[0].isupper():
            kind = "capitalised word"
        else:
            kind = "other word"
        kinds.append(kind)
    return np.array(kinds)
