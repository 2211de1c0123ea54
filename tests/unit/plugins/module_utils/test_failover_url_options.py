# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import (
    DIALECT,
    SCHEMES,
    TLS_SCHEMES,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_read import convert


@pytest.mark.parametrize("dialect", DIALECT)
def test_safe_options_and_defaults_fit_their_types(dialect: str) -> None:
    rules = DIALECT[dialect]
    assert set(rules.safe) <= set(rules.options)
    assert rules.jms is None or set(rules.safe_jms) <= set(rules.jms)
    for table in (rules.options, rules.nested or {}, rules.jms or {}):
        for option in table.values():
            if option.default is not None:
                convert(option.type, option.default)


def test_schemes() -> None:
    known = {scheme for names in SCHEMES.values() for scheme in names}
    assert known >= TLS_SCHEMES
    assert {scheme for rules in DIALECT.values() for scheme in (*rules.schemes, *rules.spelling)} <= known
