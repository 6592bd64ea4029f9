# SPDX-License-Identifier: Apache-2.0
import mujoco
import numpy as np
import pytest

from inspire_sim.cameras import (
    AUDIENCE,
    CAMERA,
    CAMERAS,
    VIEWER,
    intrinsics,
    optical_pose,
    optical_pose_in_body,
)
from inspire_sim.rendering import Renderer
from inspire_sim.robot import WRIST_CAMERA
from inspire_sim.world import TableWorld
from piper_driver.pinhole import project
from piper_driver.pose import Pose

YAWS = {'libero': 0.0, 'piper_real': -np.pi / 2}
MIDDLE = np.array([0.3, 0.0, 0.02])


def viewer_axes(yaw: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Front, right and up of the viewer in base_link."""
    return (np.array([np.cos(yaw), np.sin(yaw), 0.0]), np.array([-np.sin(yaw), np.cos(yaw), 0.0]),
            np.array([0.0, 0.0, 1.0]))


def pixel(world: TableWorld, point: np.ndarray, camera: str = CAMERA) -> np.ndarray:
    view = intrinsics(world.model, camera, *world.image_size)
    return project(point, optical_pose(world.data, camera), view.matrix)


@pytest.fixture(scope='module', params=YAWS, ids=str)
def world(request: pytest.FixtureRequest, cube_scene: object) -> TableWorld:
    made = TableWorld(CAMERAS, YAWS[request.param], builder=cube_scene)
    made.reset('pick_ball', 0)
    return made


def test_the_viewers_axes_are_the_images_axes(world: TableWorld) -> None:
    front, right, up = viewer_axes(world.viewer_yaw)
    middle = pixel(world, MIDDLE)
    to_right, to_top = pixel(world, MIDDLE + 0.1 * right), pixel(world, MIDDLE + 0.1 * up)
    to_front = pixel(world, MIDDLE + 0.1 * front)
    assert to_right[0] > middle[0] + 15 and abs(to_right[1] - middle[1]) < 1
    assert to_top[1] < middle[1] - 10 and abs(to_top[0] - middle[0]) < 1
    assert to_front[1] > middle[1] + 8 and abs(to_front[0] - middle[0]) < 5   # nearer is lower


def test_the_viewer_frame_is_base_link_for_libero_and_turned_for_piper_real() -> None:
    front, right, _ = viewer_axes(YAWS['piper_real'])
    assert np.allclose(front, [0, -1, 0]) and np.allclose(right, [1, 0, 0])
    front, right, _ = viewer_axes(YAWS['libero'])
    assert np.allclose(front, [1, 0, 0]) and np.allclose(right, [0, 1, 0])


@pytest.mark.parametrize('camera', CAMERAS)
def test_an_objects_frame_projects_onto_its_pixels(world: TableWorld, camera: str) -> None:
    cube = world.truth().objects['green_cube'].position
    x, y = np.round(pixel(world, cube, camera)).astype(int)
    with Renderer(world.model, *world.image_size) as renderer:
        segments = renderer.segment(world.data, camera)
    mask = segments == world.model.geom('cube').id
    assert mask[y, x]
    rows, columns = np.nonzero(mask)
    assert np.hypot(rows.mean() - y, columns.mean() - x) < 5.0


def test_intrinsics_put_a_cubes_corner_on_its_edge_in_the_picture(world: TableWorld) -> None:
    box, half = world.data.body('cube'), 0.02
    rotation = box.xmat.reshape(3, 3)
    corners = np.array([box.xpos + rotation @ (half * np.array([i, j, k]))
                        for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    pixels = pixel(world, corners)
    with Renderer(world.model, *world.image_size) as renderer:
        mask = renderer.segment(world.data, CAMERA) == world.model.geom('cube').id
    rows, columns = np.nonzero(mask)
    assert columns.min() == pytest.approx(pixels[:, 0].min(), abs=1.0)
    assert columns.max() == pytest.approx(pixels[:, 0].max(), abs=1.0)
    assert rows.min() == pytest.approx(pixels[:, 1].min(), abs=1.0)
    assert rows.max() == pytest.approx(pixels[:, 1].max(), abs=1.0)


def test_the_wrist_camera_sees_the_fingertips_and_what_lies_below(world: TableWorld) -> None:
    tcp = world.truth().tcp
    x, y = pixel(world, tcp.position, WRIST_CAMERA)
    below = pixel(world, tcp.position + 0.1 * tcp.rotation[:, 2], WRIST_CAMERA)
    size = world.image_size[0]
    for u, v in ((x, y), below):
        assert 0.2 * size < u < 0.8 * size and 0.2 * size < v < 0.95 * size


def test_the_static_optical_frames_are_those_of_the_state(world: TableWorld) -> None:
    for camera, body in ((CAMERA, 'world'), (WRIST_CAMERA, 'link6')):
        carrier = world.data.body(body)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = carrier.xmat.reshape(3, 3), carrier.xpos
        found = Pose.from_matrix(matrix) @ optical_pose_in_body(world.model, camera)
        assert np.allclose(found.matrix, optical_pose(world.data, camera).matrix, atol=1e-9)


def test_a_point_behind_the_camera_has_no_pixel(world: TableWorld) -> None:
    pose = optical_pose(world.data, CAMERA)
    behind = pose.position - pose.rotation[:, 2]
    assert np.isnan(pixel(world, behind)).all()


def test_mujoco_and_we_agree_on_the_focal_length() -> None:
    spec = mujoco.MjSpec()
    spec.worldbody.add_camera(name='c', fovy=90.0)
    view = intrinsics(spec.compile(), 'c', 640, 480)
    assert view.focal == pytest.approx(240.0) and view.centre == (319.5, 239.5)


@pytest.mark.parametrize('yaw', YAWS.values(), ids=YAWS)
def test_left_stays_left_for_the_audience_of_a_video(yaw: float) -> None:
    front, right, _ = viewer_axes(yaw)
    for viewpoint, least in ((VIEWER, 0.999), (AUDIENCE, 0.9)):
        _, quaternion = viewpoint.place(yaw)
        axes = np.zeros(9)
        mujoco.mju_quat2Mat(axes, quaternion)
        image_right, image_up, towards_viewer = axes.reshape(3, 3).T
        assert image_right @ right > least
        assert image_up[2] > 0.7 and towards_viewer @ front > 0.7
