# SPDX-License-Identifier: Apache-2.0
"""Publishes how often a policy's answers equal the labels. It reports; it stops nothing.

It counts in stamps and follows no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from inspire_labeler import cdr
from inspire_labeler.agreement import AgreementCounter, ObjectCount, Said
from inspire_labeler.agreement_parameters import AgreementParameters
from inspire_labeler.transform_history import SECOND
from inspire_msgs.msg import Agreement, ObjectAgreement, SpatialReasoning
from piper_driver import qos
from piper_driver.parameters import declare
from piper_driver.ros_time import leave_clock
from piper_driver.spinning import run

_EVERY = QoSProfile(depth=100)
_MOST_OBJECTS = 32


class AgreementNode(Node):
    """Feeds `reasoning` and `spatial_labels` to the counter and publishes its counts."""

    def __init__(self, **options: Any) -> None:
        super().__init__('agreement', **options)
        leave_clock(self)
        self._parameters = declare(self, AgreementParameters)
        self._counter = AgreementCounter(self._parameters.patience)
        self._frame = ''
        self._heard = 0  # the stamp of what was heard last [ns]
        self._agreement = self.create_publisher(Agreement, 'agreement', qos.LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', qos.EVENT)
        self._subscribe('reasoning', self._counter.add_answers)
        self._subscribe('spatial_labels', self._counter.add_labels)
        self.create_timer(1.0, self._diagnose)

    def _subscribe(self, topic: str, take: Callable[[int, str, list[Said]], bool]) -> None:
        def receive(data: bytes) -> None:
            try:
                reasoning = cdr.read_reasoning(data)
            except cdr.MalformedMessage as error:
                self.get_logger().error(f'{topic}: a message was left out: {error}',
                                        throttle_duration_sec=5.0)
                return
            self._frame, self._heard = reasoning.frame, reasoning.stamp
            said = [Said(each.object, each.formulation, each.text) for each in reasoning.answers]
            if take(reasoning.stamp, reasoning.instruction, said):
                self._publish()

        self.create_subscription(SpatialReasoning, topic, receive, _EVERY, raw=True)

    def _publish(self) -> None:
        counter = self._counter
        self._agreement.publish(Agreement(
            header=Header(stamp=_time(counter.stamp), frame_id=self._frame),
            instruction=counter.instruction,
            objects=[_count(each) for each in counter.objects[:_MOST_OBJECTS]],
            compared=counter.compared, agreed=counter.agreed, unlabelled=counter.unlabelled))

    def _diagnose(self) -> None:
        counter = self._counter
        level, message = DiagnosticStatus.OK, 'no answer was compared yet'
        if counter.compared:
            share = counter.agreed / counter.compared
            message = (f'{counter.agreed} of {counter.compared} answers equal the labels '
                       f'({share:.0%}), {counter.unlabelled} unlabelled')
            if (counter.compared >= self._parameters.warn_after
                    and share < self._parameters.warn_below):
                level = DiagnosticStatus.WARN
        values = [KeyValue(key=each.object, value=f'{each.agreed}/{each.compared}')
                  for each in counter.objects]
        self._diagnostics.publish(DiagnosticArray(
            header=Header(stamp=_time(self._heard)),
            status=[DiagnosticStatus(level=level, name='agreement', message=message,
                                     hardware_id='', values=values)]))


def _time(nanoseconds: int) -> Time:
    return Time(sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND)


def _count(count: ObjectCount) -> ObjectAgreement:
    return ObjectAgreement(
        object=count.object, compared=count.compared, agreed=count.agreed,
        unlabelled=count.unlabelled, answer=count.answer, label=count.label)


def main() -> int:
    """The executable `agreement`."""
    return run(AgreementNode)
