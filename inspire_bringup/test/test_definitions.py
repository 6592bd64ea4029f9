# SPDX-License-Identifier: Apache-2.0
"""Definitions are complete: each type that is referred to is in them once."""

import pytest

from inspire_bringup.definitions import (
    DefinitionError,
    definition,
    field_types,
    installed,
    leading_types,
)

TEXTS = {
    'shop_msgs/Order': 'std_msgs/Header header\nItem[<=4] items # what\nuint8 NEW=1\nstring<=9 n',
    'shop_msgs/Item': 'string name\nfloat64[3] size 0\nbuiltin_interfaces/Time bought',
    'std_msgs/Header': 'builtin_interfaces/Time stamp\nstring frame_id',
    'builtin_interfaces/Time': 'int32 sec\nuint32 nanosec',
}


def test_constants_and_comments_are_no_fields():
    text = (
        '# int32 no\nuint8 NONE = 0\nstring NAME=value\nfloat32[<=64] p # yes\nstring<=32[<=4] s'
    )
    assert field_types(text) == [('float32', True), ('string', True)]


def test_a_definition_holds_every_type_it_needs_once():
    text = definition('shop_msgs/msg/Order', TEXTS.__getitem__)
    assert text.startswith(TEXTS['shop_msgs/Order'])
    sections = text.split('=' * 80 + '\n')
    assert [section.splitlines()[0] for section in sections[1:]] == [
        'MSG: std_msgs/Header',
        'MSG: shop_msgs/Item',
        'MSG: builtin_interfaces/Time',
    ]


def test_leading_types_go_down_to_a_primitive_one():
    assert leading_types('shop_msgs/msg/Order', TEXTS.__getitem__) == [
        'std_msgs/Header',
        'builtin_interfaces/Time',
        'int32',
    ]


def test_the_installed_transforms_lead_with_a_sequence_of_stamped_ones():
    assert leading_types('tf2_msgs/msg/TFMessage', installed)[:2] == [
        'geometry_msgs/TransformStamped[]',
        'std_msgs/Header',
    ]


def test_a_type_that_is_not_installed_is_named():
    with pytest.raises(DefinitionError, match='no_such_msgs/Thing'):
        definition('no_such_msgs/msg/Thing', installed)
