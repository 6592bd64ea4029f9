# SPDX-License-Identifier: Apache-2.0
"""The recorder node: takes every topic's serialized messages and hands them to a recording.

Nothing is deserialized. The subscriptions are not spun: a timer takes what has come in, a hundred
times a second, in one go, with the reception times that the middleware noted. That costs a
fraction of a callback for each message (measured: see `./inspire bench recorder`), and the
middleware's history of `depth` messages per topic bridges any pause. Subscriptions are made at the
start of an episode, so what is latched is delivered into each episode by the middleware itself.
"""

import math
import re
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time as Stamp
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.time import Time
from rclpy.topic_endpoint_info import TopicEndpointInfo

from inspire_bringup import definitions, provenance
from inspire_bringup.bag import Topic
from inspire_bringup.log_clock import CLOCK_TOPIC, LogClock
from inspire_bringup.losses import stamp_place
from inspire_bringup.manifest import OUTCOMES, Bag, Manifest, Viewer
from inspire_bringup.recorder_parameters import RecorderParameters
from inspire_bringup.recording import (
    Message,
    Recording,
    RecordingError,
    Settings,
    Status,
    now_text,
)
from inspire_bringup.ros_taps import Tap, adapted, message_type_of, qos_words
from inspire_msgs.msg import RecorderStatus
from inspire_msgs.srv import StartEpisode, StopEpisode
from piper_driver.parameters import declare
from piper_driver.qos import EVENT
from piper_driver.ros_inbox import Unspun
from piper_driver.ros_time import leave_clock
from piper_driver.spinning import run

TAKE_PERIOD = 0.01  # s
DISCOVERY_PERIOD = 0.25
STATUS_PERIOD = 0.5
# Messages sent just before an episode is stopped are on their way for about a millisecond.
LAST_WAIT = 0.05
# A reader knows that it was matched, not that the writer, in another process, knows it too. The
# writer learns it within milliseconds, unless the processes have only just started: then they may
# have to meet first (measured: 0.3 s of messages went past a recorder that was 1 s old).
SETTLING_TIME = 0.1
STATIC_TRANSFORMS = '/tf_static'


class RecorderNode(Node):
    """Records episodes on request; the package's README has topics, services and parameters."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('recorder', **arguments)
        self.parameters = declare(self, RecorderParameters)
        self._include = _patterns('include', self.parameters.include)
        self._exclude = _patterns('exclude', self.parameters.exclude)
        self._versions, self._machine = provenance.versions(), provenance.machine()
        self._group = Unspun()
        self._taps: dict[str, Tap] = {}
        self._refused: dict[str, str] = {}
        self._recording: Recording | None = None
        self._simulated = leave_clock(self)
        self._log_clock = LogClock(simulated=False)
        self._viewer: Viewer | None = None
        self._started = False
        self._created = time.monotonic()
        self._said = 0
        self._status_publisher = self.create_publisher(RecorderStatus, 'recorder_status', EVENT)
        self.create_service(StartEpisode, 'start_episode', self._on_start)
        self.create_service(StopEpisode, 'stop_episode', self._on_stop)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._work = [
            self.create_timer(period, work, clock=steady)
            for period, work in (
                (TAKE_PERIOD, self._take),
                (DISCOVERY_PERIOD, self._discover),
                (STATUS_PERIOD, self._publish_status),
            )
        ]
        for timer in self._work:
            timer.cancel()

    # Starting and stopping

    def start(
        self, directory: str = '', instruction: str = '', task: str = '', seed: int = 0
    ) -> Path:
        """Start an episode and return its folder; RecordingError says why it cannot be."""
        if self._recording is not None:
            raise RecordingError(
                f'{self._recording.folder} is being recorded: stop that episode first'
            )
        self._simulated = leave_clock(self) or self._simulated  # told since, or before
        manifest = Manifest(
            instruction=instruction,
            task=task,
            seed=seed,
            started=now_text(),
            bag=Bag(''),
            simulated_time=self._simulated,
            recorder=asdict(self.parameters),
            versions=self._versions,
            machine=self._machine,
        )
        settings = Settings(
            compression=self.parameters.compression,
            queue_bytes=self.parameters.queue_megabytes << 20,
            free_bytes=self.parameters.minimum_free_megabytes << 20,
            distro=self._versions.get('ros_distro') or 'jazzy',
        )
        recording = Recording(self._folder(directory), manifest, settings)
        recording.expect(self.resolve_topic_name(name) for name in self.parameters.expected)
        self._recording, self._log_clock, self._viewer = recording, LogClock(self._simulated), None
        self._started = False
        self._said = 0
        self._refused.clear()
        self._match()
        self._started = True
        for timer in self._work:
            timer.reset()
        return recording.folder

    def stop(
        self, keep: bool = True, outcome: int = 0, note: str = ''
    ) -> tuple[Path | None, Status]:
        """End the episode; return its folder (None: it was thrown away) and the last status."""
        recording = self._running
        if not 0 <= outcome < len(OUTCOMES):
            raise RecordingError(
                f'outcome is {outcome}; valid: '
                + ', '.join(f'{number} {name}' for number, name in enumerate(OUTCOMES))
            )
        time.sleep(LAST_WAIT)
        self._take()
        self._recording = None
        for timer in self._work:
            timer.cancel()
        for tap in self._taps.values():
            tap.close()
        self._taps.clear()
        if keep:
            recording.stop(OUTCOMES[outcome], note, self._viewer)
        else:
            recording.discard()
        status = recording.status()
        self._publish(status, recording=False)
        return (recording.folder if keep else None), status

    @property
    def _running(self) -> Recording:
        if self._recording is None:
            raise RecordingError('nothing is being recorded: start an episode first')
        return self._recording

    def status(self) -> Status | None:
        """Sum up the running episode; None where there is none."""
        return self._recording.status() if self._recording else None

    def destroy_node(self) -> None:
        """Close an episode that is being recorded: nothing of it is lost by Ctrl-C."""
        if self._recording is not None:
            folder, _ = self.stop(note='the recorder was shut down while it recorded')
            print(f'recorder: closed {folder} on shutdown', file=sys.stderr)
        super().destroy_node()

    def _folder(self, directory: str) -> Path:
        if directory:
            return Path(directory).expanduser().absolute()
        base = Path(self.parameters.directory).expanduser().absolute()
        name = datetime.now().strftime('%Y%m%d-%H%M%S')
        candidates = [name, *(f'{name}-{number}' for number in range(2, 100))]
        return next(base / one for one in candidates if not (base / one).exists())

    def _on_start(
        self, request: StartEpisode.Request, response: StartEpisode.Response
    ) -> StartEpisode.Response:
        try:
            folder = self.start(request.directory, request.instruction, request.task, request.seed)
        except RecordingError as error:
            response.message = str(error)[:1024]
            self.get_logger().error(response.message)
            return response
        response.success, response.directory = True, str(folder)
        response.message = f'recording {len(self._taps)} topics into {folder}'
        self.get_logger().info(response.message)
        return response

    def _on_stop(
        self, request: StopEpisode.Request, response: StopEpisode.Response
    ) -> StopEpisode.Response:
        try:
            folder, status = self.stop(request.keep, request.outcome, request.note)
        except RecordingError as error:
            response.message = str(error)
            self.get_logger().error(response.message)
            return response
        response.success = not status.failure
        response.directory = str(folder or '')
        response.lost = status.lost
        response.message = summary_line(status, kept=folder is not None)
        if response.success:    # two calls: rclpy refuses another severity from one place
            self.get_logger().info(response.message)
        else:
            self.get_logger().error(response.message)
        return response

    # Taking messages

    def _match(self) -> None:
        """Subscribe, and wait until every publisher knows: from then on nothing goes past."""
        now = time.monotonic()
        deadline = now + self.parameters.matching_timeout
        settled = max(self._created + self.parameters.meeting_time, now + SETTLING_TIME)
        while now < min(settled, deadline):
            known = len(self._taps)
            self._discover()
            if len(self._taps) != known or not self._all_matched():
                settled = max(settled, now + SETTLING_TIME)
            time.sleep(0.02)
            self._take()
            now = time.monotonic()

    def _all_matched(self) -> bool:
        ledgers = self._running.ledgers
        return all(
            tap.matched >= ledgers[name].publishers
            for name, tap in self._taps.items()
            if name in ledgers
        )

    def _take(self) -> None:
        """Hand everything that has come in over to the recording."""
        batch = [received for tap in self._taps.values() for received in tap.take()]
        for one in batch:
            if one.topic == STATIC_TRANSFORMS:
                self._note_viewer(one.data)
        ledgers = self._running.ledgers
        messages: list[Message] = self._log_clock.stamp(batch)
        self._running.put(message for message in messages if message.topic in ledgers)
        for name, ledger in ledgers.items():
            ledger.lost_by_event = self._taps[name].lost

    def _note_viewer(self, data: bytes) -> None:
        """Keep the viewer frame's yaw for the manifest."""
        message_type = message_type_of('tf2_msgs/msg/TFMessage')
        for transform in deserialize_message(data, message_type).transforms:
            if transform.child_frame_id == self.parameters.viewer_frame:
                q = transform.transform.rotation
                yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
                self._viewer = Viewer(transform.child_frame_id, transform.header.frame_id, yaw)

    # Discovering topics

    def _discover(self) -> None:
        """Subscribe to topics that have appeared, and adapt to publishers that have."""
        for name, types in self.get_topic_names_and_types():
            if not self._is_wanted(name) and not (
                name == CLOCK_TOPIC and self._log_clock.simulated
            ):
                continue
            publishers = self.get_publishers_info_by_topic(name)
            if not publishers:
                continue
            if len(types) != 1:
                self._refuse(name, f'has publishers of different types: {", ".join(types)}')
                continue
            self._tap(name, types[0], publishers)

    def _is_wanted(self, name: str) -> bool:
        """Tell whether a topic is recorded: not a hidden one, nor the recorder's own status."""
        return (
            '/_' not in name
            and name != self._status_publisher.topic_name
            and any(pattern.fullmatch(name) for pattern in self._include)
            and not any(pattern.fullmatch(name) for pattern in self._exclude)
        )

    def _tap(self, name: str, type_name: str, publishers: list[TopicEndpointInfo]) -> None:
        profile = adapted(publishers, self.parameters.depth)
        tap = self._taps.get(name)
        if tap is not None and tap.profile == profile:
            if name in self._running.ledgers:
                self._running.ledgers[name].publishers = len(publishers)
            return
        try:
            message_type = message_type_of(type_name)
            definition = definitions.definition(type_name, definitions.installed)
        except LookupError as error:
            self._refuse(name, str(error))
            return
        if tap is not None:  # a publisher came that offers less than the others
            self.get_logger().info(f'{name}: subscribing again for a publisher of other quality')
            self._running.put(self._log_clock.stamp(tap.take()))
            tap.close()
        elif self._is_wanted(name):
            topic = Topic(
                name,
                type_name,
                definition,
                str(publishers[0].topic_type_hash),
                tuple(qos_words(publisher.qos_profile) for publisher in publishers),
            )
            place = stamp_place(definitions.leading_types(type_name, definitions.installed))
            late = self._started and profile.durability == DurabilityPolicy.VOLATILE
            self._running.add_topic(topic, len(publishers), place, late)
        self._taps[name] = Tap(self, name, message_type, profile, self._group)

    def _refuse(self, name: str, reason: str) -> None:
        if name not in self._refused:
            self._refused[name] = f'{name}: not recorded: {reason}'
            self.get_logger().warning(self._refused[name])

    # Telling

    def _publish_status(self) -> None:
        status = self._running.status()
        if status.lost > self._said or (status.failure and not self._said):
            self._said = status.lost or 1
            self.get_logger().error('; '.join(status.warnings))
        self._publish(status, recording=True)

    def _publish(self, status: Status, recording: bool) -> None:
        if not self.context.ok():
            return  # Ctrl-C has ended the context already; the episode is closed all the same
        message = RecorderStatus(
            recording=recording,
            episode=str(status.folder)[:1024],
            duration=status.duration,
            messages=status.messages,
            bytes=status.bytes,
            lost=status.lost,
            warnings=[text[:512] for text in [*status.warnings, *self._refused.values()][:64]],
        )
        message.header.stamp = self._now()
        self._status_publisher.publish(message)

    def _now(self) -> Stamp:
        """Return the time of what is recorded."""
        if self._simulated:
            return Time(nanoseconds=self._log_clock.now or 0).to_msg()
        return self.get_clock().now().to_msg()


def summary_line(status: Status, kept: bool) -> str:
    """Say in a line what became of an episode."""
    lost = f'{status.lost:,} lost' if status.lost else 'nothing lost'
    what = (
        f'{status.duration:.1f} s, {status.messages:,} messages, '
        f'{status.bytes / 1e6:.1f} MB, {lost}'
    )
    if status.failure:
        return f'{status.failure}: kept {what}, in {status.folder}'
    return f'{what}, in {status.folder}' if kept else f'threw away {what}'


def _patterns(name: str, texts: tuple[str, ...]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(text) for text in texts if text]
    except re.error as error:
        raise ValueError(f'{name}: {error.pattern!r} is no regular expression: {error}') from error


def main() -> int:
    """Run the recorder until it is told to stop."""
    return run(RecorderNode)
