# SPDX-License-Identifier: Apache-2.0
import numpy as np

from inspire_sim.shells import Section, loft, outline, rounded

CYLINDER = (Section(0.0, 0.5, 0.5, 2.0), Section(2.0, 0.5, 0.5, 2.0))


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return float(np.einsum('ij,ij->', a, np.cross(b, c)) / 6.0)


def test_a_shell_is_closed_and_its_triangles_face_outwards() -> None:
    vertices, faces = loft(CYLINDER, 24)
    edges = [tuple(sorted((face[i], face[(i + 1) % 3]))) for face in faces for i in range(3)]
    assert all(edges.count(edge) == 2 for edge in set(edges))
    assert volume(vertices, faces) > 0.0


def test_a_shell_of_circles_has_the_volume_of_a_prism_with_as_many_sides() -> None:
    prism = 0.5 * 24 * 0.5 ** 2 * np.sin(2 * np.pi / 24) * 2.0
    assert np.isclose(volume(*loft(CYLINDER, 24)), prism)


def test_an_outline_with_exponent_two_is_an_ellipse() -> None:
    points = outline(Section(1.0, 3.0, 2.0, 2.0, (0.5, 0.0)), 16)
    assert np.allclose(((points[:, 0] - 0.5) / 3.0) ** 2 + (points[:, 1] / 2.0) ** 2, 1.0)
    assert np.all(points[:, 2] == 1.0)


def test_rounding_lengthens_a_shell_by_its_edge_and_narrows_its_ends() -> None:
    rows = rounded(CYLINDER, 0.1)
    assert [row.z for row in rows] == sorted(row.z for row in rows)
    assert -0.1 < rows[0].z < 0.0 and 2.0 < rows[-1].z < 2.1
    assert rows[0].x < rows[1].x < rows[3].x == 0.5
