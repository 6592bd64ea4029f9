# SPDX-License-Identifier: Apache-2.0
"""Closed classes of words of instructions, and the verbs that give orders.

A tagger that learnt from newspapers is unsure in imperatives; these words are not left to it.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


COLOURS = _set('red green blue yellow orange white black brown pink purple grey gray '
                    'silver golden beige')
POSITIONS = _set('left right front back top bottom middle center centre rear')
# Parts of space rather than things; after them "of" leads to the thing.
REGIONS = POSITIONS | _set('side edge corner end inside outside area spot upside')
VERBS = _set(
    'put place pick move pull push stack turn open close take grab lift drop set slide press '
    'grasp insert hang bring give get hold pour wipe fold rotate switch throw hand store stow '
    'align touch reach twist shut unstack release lay arrange sort leave point find flip tilt '
    'carry drag poke squeeze hook load unload cover uncover remove relocate position lower raise '
    'fetch stand plug unplug go stop wait do help start begin continue try')
PARTICLES = _set('up out on off down in over away back together apart aside')
# Adverbs that the tagger takes for nouns when they follow one.
ADVERBS = _set('clockwise counterclockwise anticlockwise together apart forward forwards '
                    'backward backwards upright sideways away again slowly carefully gently '
                    'please now then first next finally softly quickly just')
PREPOSITIONS = _set('on in at to near into onto under behind beside between from with above '
                         'below inside outside over by against beneath underneath across through '
                         'toward towards along around upon atop')
DETERMINERS = _set('the a an this that these those both all each every my your his her its '
                        'our their some any another')
PRONOUNS = _set('it them they he she him me you i we us itself themselves something anything '
                     'everything nothing there here')
SELF = _set('robot gripper arm')
