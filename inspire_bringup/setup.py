# SPDX-License-Identifier: Apache-2.0
"""Packaging of inspire_bringup: executables; launch, RViz and parameter files in share."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'inspire_bringup'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={NAME: ['templates/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/config', glob('config/*.yaml')),
        (f'share/{NAME}/launch', glob('launch/*.launch.py')),
        (f'share/{NAME}/rviz', glob('rviz/*.rviz')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=True,
    maintainer='InSpire for ROS 2 maintainers',
    maintainer_email='inspire@example.org',
    description='Starts the loops of InSpire, records episodes, and holds the command line.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'episode = inspire_bringup.episode_node:main',
            'recorder = inspire_bringup.recorder_node:main',
            'viewer = inspire_bringup.viewer_node:main',
        ]
    },
)
