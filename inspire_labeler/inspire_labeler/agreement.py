# SPDX-License-Identifier: Apache-2.0
"""How often a policy's answers equal the labels, word for word, per object and in total.

An answer is compared with the label of the same observation (equal stamps), the same instruction,
object and formulation. Whichever comes first waits for the other; an answer whose label has not
come when labels `patience` newer have, or whose label was withheld, counts as unlabelled. It is a
report: nothing acts on it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from inspire_labeler.transform_history import SECOND

# Labels come at every camera image, answers at some of them: what is kept while waiting.
_KEPT = 900


@dataclass(frozen=True)
class Said:
    """One answer or label: '' where withheld."""

    object: str
    formulation: str
    text: str


@dataclass
class ObjectCount:
    """The counts of one object, and the latest pair that was compared."""

    object: str
    compared: int = 0
    agreed: int = 0
    unlabelled: int = 0
    answer: str = ''
    label: str = ''


_Key = tuple[int, str]


class AgreementCounter:
    """Takes answers and labels in any order; counts start again when the instruction changes.

    patience: how much newer a label must be before an answer without one is given up [s].
    """

    def __init__(self, patience: float = 2.0) -> None:
        self.instruction = ''
        self.stamp = 0
        self._patience = int(patience * SECOND)
        self._counts: dict[str, ObjectCount] = {}
        self._labels: OrderedDict[_Key, tuple[Said, ...]] = OrderedDict()
        self._waiting: OrderedDict[_Key, tuple[Said, ...]] = OrderedDict()

    @property
    def objects(self) -> tuple[ObjectCount, ...]:
        """The counts, in the order in which the objects came."""
        return tuple(self._counts.values())

    @property
    def compared(self) -> int:
        """Answers compared, over all objects."""
        return sum(count.compared for count in self.objects)

    @property
    def agreed(self) -> int:
        """Answers equal to their label, over all objects."""
        return sum(count.agreed for count in self.objects)

    @property
    def unlabelled(self) -> int:
        """Answers without a label, over all objects."""
        return sum(count.unlabelled for count in self.objects)

    def add_answers(self, stamp: int, instruction: str, answers: Iterable[Said]) -> bool:
        """A policy's answers about one observation. Gives whether a count has changed.

        Answers that the policy withheld are not compared.
        """
        if instruction != self.instruction:
            self.instruction = instruction
            self._counts.clear()
            self._waiting.clear()
        said = tuple(answer for answer in answers if answer.text)
        labels = self._labels.get((stamp, instruction))
        if labels is None:
            self._waiting[stamp, instruction] = said
            while len(self._waiting) > _KEPT:
                self._waiting.popitem(last=False)
            return False
        self._compare(stamp, said, labels)
        return bool(said)

    def add_labels(self, stamp: int, instruction: str, labels: Iterable[Said]) -> bool:
        """The labels of one observation. Gives whether a count has changed."""
        said = tuple(labels)
        self._labels[stamp, instruction] = said
        while len(self._labels) > _KEPT:
            self._labels.popitem(last=False)
        answers = self._waiting.pop((stamp, instruction), None)
        if answers is not None:
            self._compare(stamp, answers, said)
        return self._give_up(stamp - self._patience) or bool(answers)

    def _give_up(self, before: int) -> bool:
        late = [key for key in self._waiting if key[0] < before]
        for key in late:
            self._compare(key[0], self._waiting.pop(key), ())
        return bool(late)

    def _compare(self, stamp: int, answers: tuple[Said, ...], labels: tuple[Said, ...]) -> None:
        self.stamp = max(self.stamp, stamp)
        known = {(label.object, label.formulation): label.text for label in labels}
        for answer in answers:
            count = self._counts.setdefault(answer.object, ObjectCount(answer.object))
            label = known.get((answer.object, answer.formulation), '')
            if not label:
                count.unlabelled += 1
                continue
            count.compared += 1
            count.agreed += answer.text == label
            count.answer, count.label = answer.text, label
