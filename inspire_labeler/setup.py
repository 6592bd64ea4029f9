# SPDX-License-Identifier: Apache-2.0
"""Installs the labeler: its modules, its nodes and its configuration."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'inspire_labeler'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={NAME: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + NAME]),
        ('share/' + NAME, ['package.xml']),
        ('share/' + NAME + '/config', sorted(glob('config/*.yaml'))),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},
    zip_safe=False,
    maintainer='InSpire for ROS 2 maintainers',
    maintainer_email='inspire@example.org',
    description='Where the objects of an instruction are, in words.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'labeler = inspire_labeler.labeler_node:main',
            'agreement = inspire_labeler.agreement_node:main',
        ],
    },
)
