# SPDX-License-Identifier: Apache-2.0
"""Installs the stand-in for cv_bridge where the ROS installation lacks it."""

from setuptools import setup

PACKAGE = 'cv_bridge'

setup(
    name=PACKAGE,
    version='4.1.0',
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
