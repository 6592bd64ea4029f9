# SPDX-License-Identifier: Apache-2.0
"""Packaging of inspire_policy: the policy node as an executable, its parameters in share."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'inspire_policy'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={NAME: ['nano/shipped/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/config', glob('config/*.yaml')),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=False,
    maintainer='InSpire for ROS 2 maintainers',
    maintainer_email='inspire@example.org',
    description='Policies that say where things are before they move, and their node.',
    license='Apache-2.0',
    entry_points={'console_scripts': ['policy = inspire_policy.policy_node:main']},
)
