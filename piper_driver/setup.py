# SPDX-License-Identifier: Apache-2.0
"""Installation of piper_driver."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'piper_driver'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={NAME: ['py.typed']},
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
    description='Driver of the AgileX PiPER arm',
    license='Apache-2.0',
    entry_points={'console_scripts': ['driver = piper_driver.can_driver_node:main',
                                      'emulator = piper_driver.emulator_bus:main']},
)
