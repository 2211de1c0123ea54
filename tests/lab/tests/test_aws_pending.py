# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API: what waits for the reboot. Tests name the source of what they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lab.tests.conftest import Amazon

PASSWORD = "another-Passw0rd"
LDAP: dict[str, Any] = {
    "Hosts": ["ldap.example.com"],
    "RoleBase": "ou=groups",
    "RoleSearchMatching": "(member={0})",
    "ServiceAccountUsername": "cn=reader",
    "ServiceAccountPassword": "hidden-Passw0rd",
    "UserBase": "ou=users",
    "UserSearchMatching": "(uid={0})",
}


def users(amazon: Amazon, broker_id: str) -> dict[str, str | None]:
    """Name and pending change of each user; both operations tell the same."""
    found = amazon.mq.list_users(BrokerId=broker_id)["Users"]
    assert amazon.describe(broker_id)["Users"] == found
    return {user["Username"]: user.get("PendingChange") for user in found}


# -- UpdateBroker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EngineVersion", "5.19"),
        ("HostInstanceType", "mq.m5.xlarge"),
        ("StorageSize", 300),
        ("DataReplicationMode", "CRDR"),
    ],
)
def test_a_change_is_pending_until_the_reboot(amazon: Amazon, key: str, value: Any) -> None:
    """API model, UpdateBroker: "Adds a pending configuration change to a broker"; DescribeBroker: Pending fields."""
    broker_id = amazon.running()
    before = amazon.describe(broker_id).get(key)
    amazon.mq.update_broker(BrokerId=broker_id, **{key: value})
    answer = amazon.describe(broker_id)
    assert (answer.get(key), answer[f"Pending{key}"]) == (before, value)
    amazon.reboot(broker_id)
    answer = amazon.describe(broker_id)
    assert answer[key] == value
    assert f"Pending{key}" not in answer


def test_a_change_of_the_authentication_is_pending_and_hides_the_password(amazon: Amazon) -> None:
    """API model: LdapServerMetadataOutput has no password."""
    broker_id = amazon.running()
    amazon.mq.update_broker(BrokerId=broker_id, AuthenticationStrategy="LDAP", LdapServerMetadata=LDAP)
    answer = amazon.describe(broker_id)
    assert (answer["AuthenticationStrategy"], answer["PendingAuthenticationStrategy"]) == ("simple", "ldap")
    assert answer["PendingLdapServerMetadata"]["Hosts"] == ["ldap.example.com"]
    assert LDAP["ServiceAccountPassword"] not in str(answer)


def test_a_configuration_is_pending_and_then_current_with_its_history(amazon: Amazon) -> None:
    """API model: Configurations. Without a revision the latest is meant."""
    broker_id = amazon.running()
    first = amazon.describe(broker_id)["Configurations"]["Current"]
    made = amazon.mq.create_configuration(Name=f"for-{broker_id}", EngineType="ACTIVEMQ", EngineVersion="5.18")
    told = amazon.mq.update_broker(BrokerId=broker_id, Configuration={"Id": made["Id"]})
    second = {"Id": made["Id"], "Revision": 1}
    assert told["Configuration"] == second
    assert amazon.describe(broker_id)["Configurations"] == {"Current": first, "History": [], "Pending": second}
    amazon.reboot(broker_id)
    assert amazon.describe(broker_id)["Configurations"] == {"Current": second, "History": [first]}


def test_logs_are_pending_beside_those_in_force(amazon: Amazon) -> None:
    """API model: LogsSummary, PendingLogs."""
    broker_id = amazon.running()
    amazon.mq.update_broker(BrokerId=broker_id, Logs={"General": True})
    logs = amazon.describe(broker_id)["Logs"]
    assert (logs["General"], logs["Pending"]) == (False, {"General": True, "Audit": False})
    amazon.reboot(broker_id)
    logs = amazon.describe(broker_id)["Logs"]
    assert logs["General"] is True
    assert "Pending" not in logs


def test_what_needs_no_reboot_is_applied_at_once(amazon: Amazon) -> None:
    """hashicorp/terraform-provider-aws#36506, #37797 (window), #10442 (security groups)."""
    broker_id = amazon.running()
    window = {"DayOfWeek": "FRIDAY", "TimeOfDay": "02:00", "TimeZone": "UTC"}
    amazon.mq.update_broker(
        BrokerId=broker_id, MaintenanceWindowStartTime=window, SecurityGroups=["sg-1"], AutoMinorVersionUpgrade=True
    )
    answer = amazon.describe(broker_id)
    assert (answer["MaintenanceWindowStartTime"], answer["SecurityGroups"]) == (window, ["sg-1"])
    assert not {key for key in answer if key.startswith("Pending")}


def test_the_maintenance_window_is_changed_four_times_at_most(amazon: Amazon) -> None:
    """Recorded: maintenance.json. To give it as it is changes nothing."""
    broker_id = amazon.running()
    for minute in (1, 1, 2, 3, 4):
        window = {"DayOfWeek": "MONDAY", "TimeOfDay": f"00:0{minute}", "TimeZone": "UTC"}
        amazon.mq.update_broker(BrokerId=broker_id, MaintenanceWindowStartTime=window)
    error = amazon.error(
        "update_broker", BrokerId=broker_id, MaintenanceWindowStartTime={**window, "TimeOfDay": "00:05"}
    )
    assert error[:2] == (400, "BadRequestException")
    assert error[3].startswith("Maintenance window cannot be modified greater than 4 times.")


def test_a_change_back_to_what_is_in_force_is_pending_no_more(amazon: Amazon) -> None:
    broker_id = amazon.running()
    for instance_type in ("mq.m5.xlarge", "mq.m5.large"):
        amazon.mq.update_broker(BrokerId=broker_id, HostInstanceType=instance_type)
    assert "PendingHostInstanceType" not in amazon.describe(broker_id)


def test_what_comes_during_a_reboot_waits_for_the_next(amazon: Amazon) -> None:
    broker_id = amazon.running()
    amazon.mq.reboot_broker(BrokerId=broker_id)
    amazon.wait(broker_id, "REBOOT_IN_PROGRESS")
    amazon.mq.create_user(BrokerId=broker_id, Username="late", Password=PASSWORD)
    amazon.mq.update_broker(BrokerId=broker_id, HostInstanceType="mq.m5.xlarge")
    amazon.wait(broker_id, "RUNNING")
    assert users(amazon, broker_id) == {"app": None, "late": "CREATE"}
    assert amazon.describe(broker_id)["PendingHostInstanceType"] == "mq.m5.xlarge"


# -- users -------------------------------------------------------------------------------------------------------------


def test_a_user_is_created_by_the_reboot(amazon: Amazon) -> None:
    """API reference, Users: "you must wait for the next maintenance window or reboot the broker"."""
    broker_id = amazon.running()
    amazon.mq.create_user(
        BrokerId=broker_id, Username="new", Password=PASSWORD, ConsoleAccess=True, Groups=["ops", "dev"]
    )
    assert users(amazon, broker_id) == {"app": None, "new": "CREATE"}
    told = amazon.mq.describe_user(BrokerId=broker_id, Username="new")
    assert told["Pending"] == {"PendingChange": "CREATE", "ConsoleAccess": True, "Groups": ["ops", "dev"]}
    amazon.reboot(broker_id)
    assert users(amazon, broker_id) == {"app": None, "new": None}
    told = amazon.mq.describe_user(BrokerId=broker_id, Username="new")
    assert (told["ConsoleAccess"], told["Groups"]) == (True, ["ops", "dev"])
    assert "Pending" not in told
    assert PASSWORD not in str(told)


def test_a_change_of_a_user_leaves_what_is_not_given(amazon: Amazon) -> None:
    """API model, UpdateUser: all but the names is optional. Stock moto resets ConsoleAccess."""
    broker_id = amazon.running(
        Users=[{"Username": "app", "Password": PASSWORD, "ConsoleAccess": True, "Groups": ["dev"]}]
    )
    amazon.mq.update_user(BrokerId=broker_id, Username="app", Groups=["ops"])
    told = amazon.mq.describe_user(BrokerId=broker_id, Username="app")
    assert (told["ConsoleAccess"], told["Groups"]) == (True, ["dev"])
    assert told["Pending"] == {"PendingChange": "UPDATE", "ConsoleAccess": True, "Groups": ["ops"]}
    assert users(amazon, broker_id) == {"app": "UPDATE"}
    amazon.reboot(broker_id)
    assert amazon.mq.describe_user(BrokerId=broker_id, Username="app")["Groups"] == ["ops"]
    amazon.mq.update_user(BrokerId=broker_id, Username="app", Groups=[])
    assert amazon.mq.describe_user(BrokerId=broker_id, Username="app")["Pending"]["Groups"] == []


def test_a_user_is_deleted_by_the_reboot(amazon: Amazon) -> None:
    """API model, ChangeType: DELETE."""
    broker_id = amazon.running()
    amazon.mq.delete_user(BrokerId=broker_id, Username="app")
    assert users(amazon, broker_id) == {"app": "DELETE"}
    assert amazon.mq.describe_user(BrokerId=broker_id, Username="app")["Pending"] == {"PendingChange": "DELETE"}
    amazon.reboot(broker_id)
    assert users(amazon, broker_id) == {}
    assert amazon.error("describe_user", BrokerId=broker_id, Username="app")[:3] == (
        404,
        "NotFoundException",
        "username",
    )


def test_changes_of_one_user_add_up(amazon: Amazon) -> None:
    broker_id = amazon.running()
    amazon.mq.create_user(BrokerId=broker_id, Username="new", Password=PASSWORD)
    amazon.mq.update_user(BrokerId=broker_id, Username="new", ConsoleAccess=True)
    assert users(amazon, broker_id)["new"] == "CREATE"
    amazon.mq.delete_user(BrokerId=broker_id, Username="new")
    assert users(amazon, broker_id) == {"app": None}, "nothing of it was in force"
    amazon.mq.delete_user(BrokerId=broker_id, Username="app")
    amazon.mq.update_user(BrokerId=broker_id, Username="app", ConsoleAccess=True)
    assert users(amazon, broker_id) == {"app": "UPDATE"}


def test_a_user_has_a_name_of_its_own(amazon: Amazon) -> None:
    """API model, CreateUser: ConflictException."""
    broker_id = amazon.running()
    error = amazon.error("create_user", BrokerId=broker_id, Username="app", Password=PASSWORD)
    assert error[:3] == (409, "ConflictException", "username")
