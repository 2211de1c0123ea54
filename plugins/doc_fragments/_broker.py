# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules for Amazon MQ brokers."""

from __future__ import annotations


class ModuleDocFragment:
    """Which broker it is about: BROKER_SPEC of module_utils/_mq_api.py."""

    DOCUMENTATION = r"""
options:
  broker_id:
    description:
      - The broker's id.
    type: str
  broker_name:
    description:
      - The broker's name. All brokers of the region are listed to find it.
    type: str
"""
