# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_probe
short_description: See whether a broker is active behind each of its endpoints
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Looks at each endpoint of a broker from the host that runs the task, step by step. The name is resolved, a TCP
    connection is made, TLS is set up with a certificate that verifies, and the broker has to greet in its protocol.
  - A TCP connection is no proof of a broker, since a load balancer accepts one for an instance that is on standby. Only
    the greeting is.
  - An instance on standby refuses the connection, or does not answer. Both mean that it is not active, and neither is
    a problem.
  - All endpoints are looked at at once, so an endpoint that does not answer costs one O(timeout).
  - It needs nothing but Python, so that it can run where the services are and see the network as they do.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
options:
  endpoints:
    description:
      - The URLs of the endpoints.
      - The scheme tells the protocol. V(tcp), V(ssl), V(nio) and V(nio+ssl) are OpenWire, V(stomp) and V(stomp+ssl)
        STOMP, V(amqp), V(amqps) and V(amqp+ssl) AMQP 1.0, V(mqtt) and V(mqtt+ssl) MQTT, V(ws) and V(wss) STOMP over
        WebSocket.
    type: list
    elements: str
    required: true
  username:
    description:
      - The name of the user to connect as. Without one, no credentials are sent.
      - OpenWire needs no credentials to see a broker, and is never sent any.
      - Credentials are sent only when the certificate verifies, or as plain text to an endpoint whose scheme has no
        TLS.
    type: str
  password:
    description: The password of O(username).
    type: str
  ca_file:
    description:
      - A file with the certificates (PEM) of the authorities to trust, on the host that runs the task.
      - Without it the system's authorities are trusted, which know those of Amazon MQ.
    type: path
  timeout:
    description: How many seconds all steps of one endpoint may take together.
    type: float
    default: 5.0
  certificate_days:
    description: A certificate that expires in less than so many days is a problem, and a warning.
    type: int
    default: 14
  require:
    description:
      - What has to be so, or else the task fails.
      - An endpoint can be used when a broker answers that does not refuse the credentials.
      - With V(one_active), at least one endpoint of each protocol in O(endpoints) can be used. That is how an
        active/standby pair has to look.
      - With V(all_active), each endpoint can be used.
      - With V(nothing), the task only tells what it sees.
    type: str
    choices: [nothing, one_active, all_active]
    default: nothing
seealso:
  - module: mqlift.amazon_mq.broker_info
"""

EXAMPLES = r"""
- name: Make sure that this host reaches the active instance with the credentials of the application
  mqlift.amazon_mq.endpoint_probe:
    endpoints:
      - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614
      - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-2.mq.us-east-2.amazonaws.com:61614
    username: orders
    password: "{{ orders_password }}"
    require: one_active

- name: Look at the old broker
  mqlift.amazon_mq.endpoint_probe:
    endpoints:
      - tcp://mq.example.com:61616
      - stomp://mq.example.com:61613
    timeout: 2
  register: seen

- name: Show what somebody has to mend
  ansible.builtin.debug:
    var: seen.problems
"""

RETURN = r"""
endpoints:
  description: What was seen of each endpoint, in the order of O(endpoints).
  type: list
  elements: dict
  returned: success, or when O(require) is not met
  contains:
    endpoint:
      description: The URL.
      type: str
      returned: always
      sample: stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614
    protocol:
      description: One of V(openwire), V(stomp), V(amqp), V(mqtt), V(ws).
      type: str
      returned: always
      sample: stomp
    host:
      description: The host of the URL.
      type: str
      returned: always
      sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com
    port:
      description: The port of the URL.
      type: int
      returned: always
      sample: 61614
    active:
      description:
        - Whether a broker answers in its protocol.
        - V(false) also when the connection is refused, or nothing answers in time.
        - V(null) when that cannot be known, for example because the name does not resolve or the certificate does not
          verify.
      type: bool
      returned: always
      sample: true
    authenticated:
      description: Whether the broker takes the credentials. V(null) when none were sent, or it did not judge them.
      type: bool
      returned: always
      sample: true
    reason:
      description: What was seen, in one sentence.
      type: str
      returned: always
      sample: a broker answers and takes the credentials
    product:
      description: The broker's product, by OpenWire and STOMP. V(null) when the broker does not tell.
      type: str
      returned: always
      sample: ActiveMQ
    version:
      description: The broker's version, by OpenWire and STOMP. V(null) when the broker does not tell.
      type: str
      returned: always
      sample: 5.18.3
    addresses:
      description: The addresses of the host, at most eight. They are tried in this order.
      type: list
      elements: str
      returned: always
      sample: [10.0.1.12]
    address:
      description: The address that accepted the connection. V(null) when none did.
      type: str
      returned: always
      sample: 10.0.1.12
    steps:
      description: The steps that were taken. The last one is the one that failed, if one did.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: One of V(resolve), V(connect), V(tls), V(greeting).
          type: str
          returned: always
          sample: connect
        ok:
          description: Whether it succeeded.
          type: bool
          returned: always
          sample: true
        ms:
          description: How many milliseconds it took.
          type: float
          returned: always
          sample: 1.4
    tls:
      description: The TLS connection and its certificate. V(null) when there is none.
      type: dict
      returned: always
      contains:
        verified:
          description:
            - Whether the certificate verifies, with its chain and the name of the host.
            - When it does not, the other values are what an unverified server says of itself. They were read by a
              second connection, over which nothing was sent.
          type: bool
          returned: always
          sample: true
        version:
          description: The version of TLS.
          type: str
          returned: always
          sample: TLSv1.3
        cipher:
          description: The cipher.
          type: str
          returned: always
          sample: TLS_AES_256_GCM_SHA384
        subject:
          description: The certificate's subject. V(null), as all that follows, when the certificate cannot be read.
          type: str
          returned: always
          sample: CN=*.mq.us-east-2.amazonaws.com
        issuer:
          description: The certificate's issuer.
          type: str
          returned: always
          sample: CN=Amazon RSA 2048 M01,O=Amazon,C=US
        names:
          description: The DNS names and addresses that the certificate is for, at most a hundred.
          type: list
          elements: str
          returned: always
          sample: ["*.mq.us-east-2.amazonaws.com"]
        not_before:
          description: When the certificate begins to be valid, in UTC.
          type: str
          returned: always
          sample: "2026-01-01T00:00:00Z"
        not_after:
          description: When it ends to be valid, in UTC.
          type: str
          returned: always
          sample: "2027-01-31T23:59:59Z"
        days_left:
          description: For how many whole days it is still valid. Negative when it has expired.
          type: int
          returned: always
          sample: 212
    problems:
      description: What somebody has to mend at this endpoint, as in RV(problems), without the endpoint.
      type: list
      elements: dict
      returned: always
      sample: []
active:
  description: The endpoints where a broker answers.
  type: list
  elements: str
  returned: success, or when O(require) is not met
  sample: ["stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614"]
problems:
  description: What somebody has to mend, at any endpoint.
  type: list
  elements: dict
  returned: success, or when O(require) is not met
  contains:
    endpoint:
      description: The URL.
      type: str
      returned: always
      sample: stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614
    code:
      description:
        - The kind of problem.
        - V(name_does_not_resolve), the host's name leads to no address.
        - V(cannot_connect), the host that runs the task cannot even try, for example because it has no route.
        - V(no_tls), the port does not speak TLS.
        - V(tls_fails), the port speaks TLS, but not a kind that this host accepts, or it asks for a client's
          certificate.
        - V(certificate_expired), V(certificate_not_yet_valid), V(certificate_name_mismatch),
          V(certificate_unknown_issuer), V(certificate_self_signed), V(certificate_invalid), the certificate does not
          verify.
        - V(certificate_expires_soon), see O(certificate_days).
        - V(wrong_protocol), what answers is not a broker, or speaks another protocol.
        - V(credentials_refused), the broker refuses the credentials.
        - V(broker_error), the broker answers with an error.
      type: str
      returned: always
      sample: credentials_refused
    message:
      description: The problem in one sentence.
      type: str
      returned: always
      sample: the broker refuses the credentials
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._greetings import Credentials
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Settings, look_at_all, unmet


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "endpoints": {"type": "list", "elements": "str", "required": True},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "ca_file": {"type": "path"},
            "timeout": {"type": "float", "default": 5.0},
            "certificate_days": {"type": "int", "default": 14},
            "require": {"type": "str", "choices": ["nothing", "one_active", "all_active"], "default": "nothing"},
        },
        supports_check_mode=True,
    )
    params = module.params
    if not params["endpoints"]:
        module.fail_json(msg="endpoints is empty")
    # The bound also keeps out what is no number: nothing takes an hour.
    if not 0 < params["timeout"] <= 3600:
        module.fail_json(msg="timeout must be greater than 0 and at most 3600 seconds")
    try:
        credentials = None
        if params["username"]:
            credentials = Credentials(params["username"], params["password"] or "")
            credentials.check()
        settings = Settings(params["timeout"], credentials, params["certificate_days"])
        reports = look_at_all(params["endpoints"], params["ca_file"], settings)
    except (FailoverUrlError, ValueError) as exc:
        module.fail_json(msg=str(exc))
    except OSError as exc:
        module.fail_json(msg=f"ca_file {params['ca_file']}: {exc.strerror or exc}")
    problems = [{"endpoint": report.endpoint, **each._asdict()} for report in reports for each in report.problems]
    for problem in problems:
        if problem["code"] == "certificate_expires_soon":
            module.warn(f"{problem['endpoint']}: {problem['message']}")
    result = {
        "endpoints": [report.as_dict() for report in reports],
        "active": [report.endpoint for report in reports if report.active],
        "problems": problems,
    }
    missing = unmet(reports, params["require"])
    if missing:
        module.fail_json(msg="; ".join(missing), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
