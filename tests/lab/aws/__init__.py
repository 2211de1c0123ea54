# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS API of the lab.

Amazon MQ is answered here, by its API model (botocore) and by what AWS documents and was seen to answer; every other
service by moto. A broker named as the lab's target is the lab's real pair, every other one is there on paper only: it
has the same states and answers, and nothing listens.

    server.py         requests: which service, faults, the record of calls; serving() for tests without a lab
    model.py          the API model: which operation a request is, its parameters, the spelling of answers
    api.py            the operations
    broker.py         one broker: its states, what is in force and what waits for the reboot
    configuration.py  configurations, their revisions, what Amazon MQ takes away
    rules.py          what the API refuses; what it offers
    pair.py           the real pair behind a broker
    merge.py          a configuration put into a broker's own activemq.xml
    metrics.py        CloudWatch
    faults.py         faults on purpose
    calls.py          the record of calls

Each behaviour names its source. "Recorded" are answers of the real API of September 2026, to be found in
github.com/radkawar/stackd, testdata/aws/mq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.aws.server import Serving, serving

__all__ = ["Serving", "serving"]


def __getattr__(name: str) -> Any:
    """Import what serves when it is asked for: the lab's command line needs the rest, and has to start quickly."""
    if name in __all__:
        from lab.aws import server

        return getattr(server, name)
    raise AttributeError(name)
