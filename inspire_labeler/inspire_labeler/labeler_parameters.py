# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `labeler`."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspire_labeler.formulation import Formulation
from inspire_labeler.grasp import ClosureSettings
from inspire_labeler.labelling import GRASP_SOURCES, LabelSettings
from piper_driver.parameters import described


@dataclass(frozen=True)
class LabelerParameters:
    """How labels are made."""

    formulation: str = field(default='direction', metadata=described(
        'How a place is asked for and answered.', choices=tuple(map(str, Formulation))))
    catalogue: str = field(default='', metadata=described(
        "Catalogue of names and frames; empty: the package's config/objects.yaml."))
    viewer_frame: str = field(default='viewer', metadata=described(
        'TF frame in whose axes left, right, front and back are meant.'))
    tcp_frame: str = field(default='tcp', metadata=described(
        'TF frame between the fingertips, from which objects are seen.'))
    max_gap: float = field(default=0.1, metadata=described(
        'Samples further apart are not interpolated: the world may have been reset between them '
        '[s].', 0.001, 5.0))
    deadline: float = field(default=0.5, metadata=described(
        'How long an observation waits for its transforms and grasps, in stamps of camera images '
        '[s].', 0.01, 5.0))
    grasp_source: str = field(default='contacts', metadata=described(
        'contacts: what both fingers touch, from grasp_contacts (simulation). gripper: the '
        "gripper's opening in joint_states, and the nearest object (hardware).",
        choices=GRASP_SOURCES))
    grasp_radius: float = field(default=0.03, metadata=described(
        'With grasp_source gripper: what is held is the nearest object within this [m].',
        0.0, 0.5))
    gripper_joint: str = field(default='gripper', metadata=described(
        'Joint of joint_states whose position is the total opening of the gripper [m].'))
    empty_width: float = field(default=0.0, metadata=described(
        'How wide the gripper is when it has closed on nothing [m].', 0.0, 0.1))
    grip_margin: float = field(default=0.003, metadata=described(
        'It can hold something when wider than empty_width by this [m].', 0.0001, 0.1))
    slip_margin: float = field(default=0.0015, metadata=described(
        'It has lost what it held when not wider than empty_width by this [m].', 0.0, 0.1))
    still: float = field(default=0.001, metadata=described(
        'It has stopped when its opening changed by less than this in settle_time [m].',
        0.00001, 0.1))
    settle_time: float = field(default=0.1, metadata=described(
        'For how long it must have stopped [s].', 0.01, 2.0))
    travel: float = field(default=0.004, metadata=described(
        'It was closing when it came down by this much [m].', 0.0001, 0.1))
    release: float = field(default=0.003, metadata=described(
        'It has let go when it opened by this much [m].', 0.0001, 0.1))

    def __post_init__(self) -> None:
        """Raises ValueError for values that contradict each other."""
        _ = self.settings

    @property
    def settings(self) -> LabelSettings:
        """The same, as labelling takes it."""
        closure = ClosureSettings(
            empty_width=self.empty_width, grip_margin=self.grip_margin,
            slip_margin=self.slip_margin, still=self.still, settle_time=self.settle_time,
            travel=self.travel, release=self.release)
        return LabelSettings(
            formulation=Formulation(self.formulation), viewer_frame=self.viewer_frame,
            tcp_frame=self.tcp_frame, max_gap=self.max_gap, deadline=self.deadline,
            grasp_source=self.grasp_source, grasp_radius=self.grasp_radius, closure=closure)
