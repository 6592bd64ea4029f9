# SPDX-License-Identifier: Apache-2.0
"""Installs the stand-in for tf2_ros where the ROS installation lacks it."""

from setuptools import setup

PACKAGE = 'tf2_ros'

setup(
    name=PACKAGE,
    version='0.36.0',
    packages=[PACKAGE],
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
)
