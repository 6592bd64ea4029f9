# SPDX-License-Identifier: Apache-2.0
"""A run's ROS domain is free, and is its own while it lasts."""

import socket

import pytest

from inspire_bringup import domain


@pytest.fixture
def quiet_machine(monkeypatch, tmp_path):
    """No run but this test's own."""
    monkeypatch.setattr(domain, 'lock_directory', lambda: tmp_path / 'locks')
    monkeypatch.setattr(domain, 'bound_ports', set)
    monkeypatch.setattr(domain, 'sweep', lambda ports: 0)


def test_ports_name_their_domain():
    assert domain.domains_in_use({7400, 7410, 7649}) == {0}
    assert domain.domains_in_use({7650}) == {1}
    assert domain.domains_in_use({53, 7399}) == set()


def test_bound_ports_are_seen():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(('127.0.0.1', 0))
        assert bound.getsockname()[1] in domain.bound_ports()


def test_two_claims_never_share_a_domain(quiet_machine):
    with domain.claimed_domain() as first, domain.claimed_domain() as second:
        assert (first, second) == (1, 2)


def test_a_domain_is_free_again_when_its_claim_ends(quiet_machine):
    for _ in range(2):
        with domain.claimed_domain() as claimed:
            assert claimed == 1


def test_a_domain_with_a_bound_port_is_passed_over(quiet_machine, monkeypatch):
    monkeypatch.setattr(domain, 'bound_ports', lambda: {7400 + 250 * 1 + 11})
    with domain.claimed_domain() as claimed:
        assert claimed == 2


def test_no_free_domain_is_an_error_that_says_what_to_do(quiet_machine, monkeypatch):
    monkeypatch.setattr(domain, 'domains_in_use', lambda ports: set(domain.DOMAINS))
    with pytest.raises(domain.NoFreeDomain, match='ROS_DOMAIN_ID'), domain.claimed_domain():
        pass


def test_a_claimed_domain_is_swept_first(quiet_machine, monkeypatch):
    swept = []
    monkeypatch.setattr(domain, 'sweep', swept.append)
    with domain.claimed_domain():
        assert swept == [range(7650, 7900)]
