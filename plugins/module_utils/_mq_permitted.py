# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What Amazon MQ for ActiveMQ permits in a broker configuration. Data only.

From the schemas that AWS publishes for ActiveMQ 5.19 (amazon-mq-active-mq-5.19.1.xsd, as of May 2026) and for 5.18
(amazon-mq-active-mq-5.18.4.xsd, as of February 2025). They are linked from
https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/amazon-mq-broker-configuration-parameters.html, which calls
them the full set of what is supported. Older lines of ActiveMQ are not offered any more and not told apart.

The pages "permitted elements", "permitted attributes", "permitted collections" and "child element details" of the same
guide list less than the schemas: no groups and no attributes of networkConnector but four, no transportConnectors, no
checkpointInterval and indexWriteBatchSize of kahaDB. They list one attribute that the schemas do not have,
networkConnectorStartAsync of broker, with an example: it is permitted here.

As in ActiveMQ's own schema, two kinds of elements alternate. An element has attributes and groups; a group has no
attributes, and holds elements again (broker, its group plugins, authorizationPlugin, its group map, authorizationMap).
Groups often have the name of what they hold: the group systemUsage holds the element systemUsage.
"""

from __future__ import annotations

NAMESPACE = "http://activemq.apache.org/schema/core"

# The newest line of ActiveMQ whose schema is known; what is told of newer ones is told of this one.
NEWEST_VERSION = "5.19"

# The attributes of each element, by the type of their value. A type is one of boolean, double, integer, long, short,
# string; or a type and the range it is limited to; or "one of" and the values.
ATTRIBUTES: dict[str, dict[str, str]] = {
    "abortSlowAckConsumerStrategy": {
        "boolean": "abortConnection ignoreIdleConsumers ignoreNetworkConsumers",
        "long": "checkPeriod maxSlowCount maxSlowDuration maxTimeSinceLastAck",
        "string": "name",
    },
    "abortSlowConsumerStrategy": {
        "boolean": "abortConnection ignoreNetworkConsumers",
        "long": "checkPeriod maxSlowCount maxSlowDuration",
        "string": "name",
    },
    "authorizationEntry": {
        "boolean": "tempQueue tempTopic",
        "string": "admin queue read topic write",
    },
    "broker": {
        "boolean": (
            "allowTempAutoCreationOnSend anonymousProducerAdvisorySupport cacheTempDestinations dedicatedTaskRunner "
            "enableMessageExpirationOnActiveDurableSubs keepDurableSubsActive monitorConnectionSplits "
            "networkConnectorStartAsync populateJMSXUserID rejectDurableConsumers rollbackOnlyOnAsyncException "
            "splitSystemUsageForProducersConsumers useAuthenticatedPrincipalForJMSXUserID useMirroredQueues "
            "useTempMirroredQueues useVirtualDestSubs useVirtualDestSubsOnCreation useVirtualTopics"
        ),
        "integer": (
            "consumerSystemUsagePortion maxPurgedDestinationsPerSweep maxSchedulerRepeatAllowed maxUncommittedCount "
            "persistenceThreadPriority producerSystemUsagePortion schedulePeriodForDestinationPurge "
            "taskRunnerPriority timeBeforePurgeTempDestinations"
        ),
        "long": "offlineDurableSubscriberTaskSchedule offlineDurableSubscriberTimeout",
        "string": "advisorySupport deleteAllMessagesOnStartup persistent schedulerSupport systemUsage",
    },
    "cachedMessageGroupMapFactory": {
        "integer": "cacheSize",
    },
    "clientIdFilterDispatchPolicy": {
        "string": "ptpClientId ptpSuffix",
    },
    "compositeQueue": {
        "boolean": "concurrentSend copyMessage forwardOnly sendWhenNotMatched",
        "string": "name",
    },
    "compositeTopic": {
        "boolean": "concurrentSend copyMessage forwardOnly sendWhenNotMatched",
        "string": "name",
    },
    "conditionalNetworkBridgeFilterFactory": {
        "boolean": "replayWhenNoConsumers selectorAware",
        "integer": "rateDuration rateLimit replayDelay",
    },
    "constantPendingMessageLimitStrategy": {
        "integer": "limit",
    },
    "discarding": {
        "boolean": "enableAudit processExpired processNonPersistent",
        "integer": "maxAuditDepth maxProducersToAudit",
        "long": "expiration",
        "string": "deadLetterQueue",
    },
    "discardingDLQBrokerPlugin": {
        "boolean": "dropAll dropTemporaryQueues dropTemporaryTopics",
        "integer": "reportInterval",
        "string": "dropOnly",
    },
    "filteredDestination": {
        "string": "queue selector topic",
    },
    "fixedCountSubscriptionRecoveryPolicy": {
        "integer": "maximumSize",
    },
    "fixedSizedSubscriptionRecoveryPolicy": {
        "boolean": "useSharedBuffer",
        "integer": "maximumSize",
    },
    "forcePersistencyModeBrokerPlugin": {
        "boolean": "persistenceFlag",
    },
    "individualDeadLetterStrategy": {
        "boolean": (
            "destinationPerDurableSubscriber enableAudit processExpired processNonPersistent "
            "useQueueForQueueMessages useQueueForTopicMessages"
        ),
        "integer": "maxAuditDepth maxProducersToAudit",
        "long": "expiration",
        "string": "queuePrefix queueSuffix topicPrefix topicSuffix",
    },
    "kahaDB": {
        "boolean": "cleanupOnStop concurrentStoreAndDispatchQueues",
        "long": "journalDiskSyncInterval",
        "long 1000 to 3000": "indexWriteBatchSize",
        "long 5000 to 25000": "checkpointInterval",
        "one of always periodic never": "journalDiskSyncStrategy",
        "one of sparse_file os_kernel_copy zeros": "preallocationStrategy",
    },
    "memoryUsage": {
        "integer 0 to 70": "percentOfJvmHeap",
    },
    "messageGroupHashBucketFactory": {
        "integer": "bucketCount cacheSize",
    },
    "mirroredQueue": {
        "boolean": "copyMessage",
        "string": "postfix prefix",
    },
    "networkConnector": {
        "boolean": (
            "advisoryForFailedForward alwaysSyncSend bridgeTempDestinations checkDuplicateMessagesOnDuplex "
            "conduitNetworkQueueSubscriptions conduitSubscriptions decreaseNetworkConsumerPriority dispatchAsync "
            "duplex dynamicOnly gcDestinationViews staticBridge suppressDuplicateQueueSubscriptions "
            "suppressDuplicateTopicSubscriptions syncDurableSubs useBrokerNameAsIdSees useCompression "
            "useVirtualDestSubs"
        ),
        "integer": (
            "advisoryAckPercentage advisoryPrefetchSize consumerPriorityBase consumerTTL messageTTL networkTTL"
        ),
        "long": "gcSweepTime",
        "string": (
            "bridgeFactory brokerName brokerURL clientIdToken connectionFilter destinationFilter localUri name "
            "objectName prefetchSize uri userName"
        ),
    },
    "oldestMessageEvictionStrategy": {
        "integer": "evictExpiredMessagesHighWatermark",
    },
    "oldestMessageWithLowestPriorityEvictionStrategy": {
        "integer": "evictExpiredMessagesHighWatermark",
    },
    "policyEntry": {
        "boolean": (
            "advisoryForConsumed advisoryForDelivery advisoryForDiscardingMessages advisoryForDispatched "
            "advisoryForFastProducers advisoryForSlowConsumers advisoryWhenFull allConsumersExclusiveByDefault "
            "alwaysRetroactive doOptimzeMessageStorage enableAudit gcInactiveDestinations gcWithNetworkConsumers "
            "includeBodyForAdvisory lazyDispatch optimizedDispatch persistJMSRedelivered prioritizedMessages "
            "producerFlowControl reduceMemoryFootprint sendAdvisoryIfNoConsumers sendDuplicateFromStoreToDLQ "
            "sendFailIfNoSpace strictOrderDispatch tempQueue tempTopic useCache useConsumerPriority "
            "usePrefetchExtension useTopicSubscriptionInflightStats"
        ),
        "integer": (
            "consumersBeforeDispatchStarts cursorMemoryHighWaterMark durableTopicPrefetch maxAuditDepth "
            "maxBrowsePageSize maxDestinations maxExpirePageSize maxPageSize maxProducersToAudit maxQueueAuditDepth "
            "optimizeMessageStoreInFlightLimit queueBrowserPrefetch queuePrefetch storeUsageHighWaterMark "
            "timeBeforeDispatchStarts topicPrefetch"
        ),
        "long": (
            "blockedProducerWarningInterval expireMessagesPeriod inactiveTimeoutBeforeGC inactiveTimoutBeforeGC "
            "minimumMessageSize sendFailIfNoSpaceAfterTimeout"
        ),
        "string": "memoryLimit messageGroupMapFactoryType queue topic",
    },
    "prefetchRatePendingMessageLimitStrategy": {
        "double": "multiplier",
    },
    "queryBasedSubscriptionRecoveryPolicy": {
        "string": "query",
    },
    "queue": {
        "boolean": "DLQ",
        "string": "physicalName",
    },
    "redeliveryPlugin": {
        "boolean": "fallbackToDeadLetter sendToDlqIfMaxRetriesExceeded",
    },
    "redeliveryPolicy": {
        "boolean": "preDispatchCheck tempQueue tempTopic useCollisionAvoidance useExponentialBackOff",
        "double": "backOffMultiplier",
        "integer": "maximumRedeliveries",
        "long": "initialRedeliveryDelay maximumRedeliveryDelay redeliveryDelay",
        "short": "collisionAvoidancePercent",
        "string": "queue topic",
    },
    "sharedDeadLetterStrategy": {
        "boolean": "enableAudit processExpired processNonPersistent",
        "integer": "maxAuditDepth maxProducersToAudit",
        "long": "expiration",
    },
    "storeDurableSubscriberCursor": {
        "boolean": "immediatePriorityDispatch useCache",
    },
    "systemUsage": {
        "boolean": "sendFailIfNoSpace",
        "long": "sendFailIfNoSpaceAfterTimeout",
    },
    "tempDestinationAuthorizationEntry": {
        "boolean": "tempQueue tempTopic",
        "string": "admin queue read topic write",
    },
    "tempQueue": {
        "boolean": "DLQ",
        "string": "physicalName",
    },
    "tempTopic": {
        "boolean": "DLQ",
        "string": "physicalName",
    },
    "timeStampingBrokerPlugin": {
        "boolean": "futureOnly processNetworkMessages",
        "long": "ttlCeiling zeroExpirationOverride",
    },
    "timedSubscriptionRecoveryPolicy": {
        "long": "recoverDuration",
    },
    "topic": {
        "boolean": "DLQ",
        "string": "physicalName",
    },
    "transportConnector": {
        "boolean": "rebalanceClusterClients updateClusterClients updateClusterClientsOnRemove",
        "one of openwire": "name",
    },
    "uniquePropertyMessageEvictionStrategy": {
        "integer": "evictExpiredMessagesHighWatermark",
        "string": "propertyName",
    },
    "virtualTopic": {
        "boolean": "concurrentSend dropOnResourceLimit local selectorAware setOriginalDestination transactedSend",
        "string": "name postfix prefix",
    },
}

# The groups of each element and which elements they hold. "*": the schema permits anything there.
GROUPS: dict[str, dict[str, str]] = {
    "authorizationMap": {
        "authorizationEntries": "authorizationEntry tempDestinationAuthorizationEntry",
        "defaultEntry": "authorizationEntry tempDestinationAuthorizationEntry",
        "tempDestinationAuthorizationEntry": "tempDestinationAuthorizationEntry",
    },
    "authorizationPlugin": {
        "map": "authorizationMap",
    },
    "broker": {
        "destinationInterceptors": "mirroredQueue virtualDestinationInterceptor",
        "destinationPolicy": "policyMap",
        "destinations": "queue tempQueue tempTopic topic",
        "networkConnectors": "networkConnector",
        "persistenceAdapter": "kahaDB",
        "plugins": (
            "authorizationPlugin discardingDLQBrokerPlugin forcePersistencyModeBrokerPlugin redeliveryPlugin "
            "statisticsBrokerPlugin timeStampingBrokerPlugin"
        ),
        "systemUsage": "systemUsage",
        "transportConnectors": "transportConnector",
    },
    "compositeQueue": {
        "forwardTo": "filteredDestination queue tempQueue tempTopic topic",
    },
    "compositeTopic": {
        "forwardTo": "filteredDestination queue tempQueue tempTopic topic",
    },
    "networkConnector": {
        "connectionFilter": "*",
        "durableDestinations": "filteredDestination queue tempQueue tempTopic topic",
        "dynamicallyIncludedDestinations": "filteredDestination queue tempQueue tempTopic topic",
        "excludedDestinations": "filteredDestination queue tempQueue tempTopic topic",
        "localUri": "*",
        "objectName": "*",
        "staticallyIncludedDestinations": "filteredDestination queue tempQueue tempTopic topic",
        "uri": "*",
    },
    "policyEntry": {
        "deadLetterStrategy": "discarding individualDeadLetterStrategy sharedDeadLetterStrategy",
        "destination": "queue tempQueue tempTopic topic",
        "dispatchPolicy": (
            "clientIdFilterDispatchPolicy priorityDispatchPolicy priorityNetworkDispatchPolicy "
            "roundRobinDispatchPolicy simpleDispatchPolicy strictOrderDispatchPolicy"
        ),
        "messageEvictionStrategy": (
            "oldestMessageEvictionStrategy oldestMessageWithLowestPriorityEvictionStrategy "
            "uniquePropertyMessageEvictionStrategy"
        ),
        "messageGroupMapFactory": (
            "cachedMessageGroupMapFactory messageGroupHashBucketFactory simpleMessageGroupMapFactory"
        ),
        "networkBridgeFilterFactory": "conditionalNetworkBridgeFilterFactory",
        "pendingDurableSubscriberPolicy": "fileDurableSubscriberCursor storeDurableSubscriberCursor vmDurableCursor",
        "pendingMessageLimitStrategy": "constantPendingMessageLimitStrategy prefetchRatePendingMessageLimitStrategy",
        "pendingQueuePolicy": "fileQueueCursor storeCursor vmQueueCursor",
        "pendingSubscriberPolicy": "fileCursor vmCursor",
        "slowConsumerStrategy": "abortSlowAckConsumerStrategy abortSlowConsumerStrategy",
        "subscriptionRecoveryPolicy": (
            "fixedCountSubscriptionRecoveryPolicy fixedSizedSubscriptionRecoveryPolicy "
            "lastImageSubscriptionRecoveryPolicy noSubscriptionRecoveryPolicy queryBasedSubscriptionRecoveryPolicy "
            "retainedMessageSubscriptionRecoveryPolicy timedSubscriptionRecoveryPolicy"
        ),
    },
    "policyMap": {
        "defaultEntry": "policyEntry",
        "policyEntries": "policyEntry",
    },
    "redeliveryPlugin": {
        "redeliveryPolicyMap": "redeliveryPolicyMap",
    },
    "redeliveryPolicyMap": {
        "defaultEntry": "redeliveryPolicy",
        "redeliveryPolicyEntries": "redeliveryPolicy",
    },
    "retainedMessageSubscriptionRecoveryPolicy": {
        "wrapped": (
            "fixedCountSubscriptionRecoveryPolicy fixedSizedSubscriptionRecoveryPolicy "
            "lastImageSubscriptionRecoveryPolicy noSubscriptionRecoveryPolicy queryBasedSubscriptionRecoveryPolicy "
            "retainedMessageSubscriptionRecoveryPolicy timedSubscriptionRecoveryPolicy"
        ),
    },
    "sharedDeadLetterStrategy": {
        "deadLetterQueue": "queue tempQueue tempTopic topic",
    },
    "systemUsage": {
        "memoryUsage": "memoryUsage",
    },
    "virtualDestinationInterceptor": {
        "virtualDestinations": "compositeQueue compositeTopic virtualTopic",
    },
}

ANYTHING = "*"

# Elements with neither attributes nor groups.
BARE = (
    "fileCursor fileDurableSubscriberCursor fileQueueCursor lastImageSubscriptionRecoveryPolicy "
    "noSubscriptionRecoveryPolicy priorityDispatchPolicy priorityNetworkDispatchPolicy roundRobinDispatchPolicy "
    "simpleDispatchPolicy simpleMessageGroupMapFactory statisticsBrokerPlugin storeCursor strictOrderDispatchPolicy "
    "vmCursor vmDurableCursor vmQueueCursor"
)

# Groups that hold at most one element, by the element that they belong to.
AT_MOST_ONE: dict[str, str] = {
    "authorizationMap": "defaultEntry tempDestinationAuthorizationEntry",
    "authorizationPlugin": "map",
    "broker": "destinationPolicy persistenceAdapter systemUsage",
    "policyEntry": (
        "deadLetterStrategy destination dispatchPolicy messageEvictionStrategy messageGroupMapFactory "
        "networkBridgeFilterFactory pendingDurableSubscriberPolicy pendingMessageLimitStrategy pendingQueuePolicy "
        "pendingSubscriberPolicy slowConsumerStrategy subscriptionRecoveryPolicy"
    ),
    "policyMap": "defaultEntry",
    "redeliveryPlugin": "redeliveryPolicyMap",
    "redeliveryPolicyMap": "defaultEntry",
    "retainedMessageSubscriptionRecoveryPolicy": "wrapped",
    "sharedDeadLetterStrategy": "deadLetterQueue",
    "systemUsage": "memoryUsage",
}

# Groups that must not be empty.
AT_LEAST_ONE: dict[str, str] = {
    "authorizationMap": "tempDestinationAuthorizationEntry",
    "policyEntry": (
        "deadLetterStrategy messageEvictionStrategy pendingQueuePolicy pendingSubscriberPolicy slowConsumerStrategy"
    ),
    "virtualDestinationInterceptor": "virtualDestinations",
}

# Attributes that a line of ActiveMQ brought, by element.
SINCE: dict[str, dict[str, str]] = {"broker": {"maxUncommittedCount": "5.19"}}

# Attributes whose value may be there once only among the elements of a name below another: (above, element, attribute).
UNIQUE = (
    ("policyMap", "policyEntry", "queue"),
    ("policyMap", "policyEntry", "topic"),
    ("transportConnectors", "transportConnector", "name"),
)

# Attributes that must be there, by element.
REQUIRED: dict[str, str] = {"transportConnector": "name"}

# What AWS says beside the schemas, on the same page: values that are not static are taken away, which are Spring
# expressions, variables (${...}, #{...}) and references to other elements (#name).

# Why the API takes something away (SanitizationWarningReason of the API model 2017-11-27).
ELEMENT_REMOVED = "DISALLOWED_ELEMENT_REMOVED"
ATTRIBUTE_REMOVED = "DISALLOWED_ATTRIBUTE_REMOVED"
VALUE_REMOVED = "INVALID_ATTRIBUTE_VALUE_REMOVED"

# Quotas: https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/amazon-mq-limits.html
MAX_REVISIONS = 300

# UpdateConfiguration names the first removals only.
MAX_WARNINGS = 20
