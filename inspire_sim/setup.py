# SPDX-License-Identifier: Apache-2.0
"""Packaging of inspire_sim: the sim node as an executable, its parameters in share."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'inspire_sim'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/config', glob('config/*.yaml')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=True,
    maintainer='InSpire for ROS 2 maintainers',
    maintainer_email='inspire@example.org',
    description="A MuJoCo world with a PiPER arm, cameras and the paper's fifteen tasks.",
    license='Apache-2.0',
    entry_points={'console_scripts': ['sim = inspire_sim.sim_node:main']},
)
