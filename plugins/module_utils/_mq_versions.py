# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What AWS has published about versions and instance types of Amazon MQ for ActiveMQ: data, with source and date."""

from __future__ import annotations

from datetime import date

#: X.Y and the end of support; None: supported, and no end announced. AWS announces an end 90 days before. Source: its
#: support calendar as of September 2026, when the API offered 5.18 and 5.19 for new brokers,
#: https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/activemq-version-management.html.
#: A version that is not here is not judged.
END_OF_SUPPORT: dict[tuple[int, int], date | None] = {
    (5, 15): date(2024, 9, 16),
    (5, 16): date(2024, 11, 15),
    (5, 17): date(2025, 6, 16),
    (5, 18): None,
    (5, 19): None,
}

#: Connections that a broker takes for each protocol, by the size of its instance type. Source, of the same time:
#: https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/amazon-mq-limits.html. A raised limit is not told by
#: any API; CloudWatch has it as OpenwireMaximumConnections and so on.
CONNECTIONS_MICRO = 300
CONNECTIONS_LARGE = 2000


def connection_limit(host_instance_type: str | None) -> int | None:
    """How many connections an instance type takes for each protocol. None when that is not published."""
    size = (host_instance_type or "").rpartition(".")[2]
    if size == "micro":
        return CONNECTIONS_MICRO
    return CONNECTIONS_LARGE if size.endswith("large") else None
