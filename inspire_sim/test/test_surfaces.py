# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim.surfaces import ball, chamfered, lathe, sheet, tube


def volume(surface) -> float:
    p, q, r = (surface.vertices[surface.triangles[:, corner]] for corner in range(3))
    return float((p * np.cross(q, r)).sum() / 6.0)


def test_a_ball_has_a_balls_volume_and_faces_outwards() -> None:
    assert volume(ball((0.1, 0.2, 0.3), 60)) == pytest.approx(4 / 3 * np.pi * 0.006, rel=0.01)


def test_a_turned_rectangle_is_a_cylinder() -> None:
    surface = lathe(np.array([(0, 0), (0.5, 0), (0.5, 2), (0, 2)]), around=200)
    assert volume(surface) == pytest.approx(np.pi * 0.25 * 2, rel=0.001)


def test_a_straight_tube_is_a_cylinder_closed_at_both_ends() -> None:
    path = np.array([(x, 0.0, 0.0) for x in np.linspace(0, 1, 5)])
    assert volume(tube(path, np.full(5, 0.1), around=100)) == pytest.approx(np.pi * 0.01, rel=0.01)


def test_a_sheet_is_as_large_as_asked() -> None:
    surface = sheet((0.3, 0.2), 0.01)
    assert volume(surface) == pytest.approx(0.3 * 0.2 * 0.01)
    np.testing.assert_allclose(np.ptp(surface.vertices, axis=0), [0.3, 0.2, 0.01])


def test_pictures_are_not_mirrored_on_a_sheet() -> None:
    # The picture's first row is the far edge (+y), its first column the left one (-x).
    surface = sheet((2.0, 2.0))
    corner = surface.texture[np.argmin(np.abs(surface.vertices[:4, :2] - [-1, 1]).sum(1))]
    np.testing.assert_allclose(corner, [0.0, 0.0])


def test_a_chamfer_cuts_the_corners_and_nothing_else() -> None:
    corners = chamfered((1.0, 2.0, 3.0), 0.1)
    assert corners.shape == (24, 3)
    np.testing.assert_allclose(np.abs(corners).max(axis=0), [1, 2, 3])
    assert not (np.abs(corners) == [1.0, 2.0, 3.0]).all(axis=1).any()


@pytest.mark.parametrize('surface', [ball((1, 1, 1)), lathe(np.array([(0, 0), (1, 0), (0, 1)]))])
def test_texture_coordinates_stay_on_the_picture(surface) -> None:
    assert surface.texture.shape == (len(surface.vertices), 2)
    assert (surface.texture >= 0).all() and (surface.texture <= 1).all()
