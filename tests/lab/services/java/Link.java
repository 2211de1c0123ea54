// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.IOException;
import javax.jms.JMSException;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.transport.DefaultTransportListener;

/** The service's one connection. A failover URL keeps it alive; when it dies all the same, it is made anew. */
final class Link {
    private final ActiveMQConnectionFactory factory;
    private final Ledger ledger;
    private final String clientId;
    /** Published before it is started, so that close() can end a start that waits for a broker. */
    private volatile ActiveMQConnection connection;
    private volatile boolean closing;
    private String connectedTo;

    Link(Options options, Ledger ledger) {
        this.ledger = ledger;
        clientId = options.clientId;
        try {
            factory = new ActiveMQConnectionFactory(options.username, options.password, options.url);
        } catch (IllegalArgumentException e) {
            // Its text holds the URL, and a URL may hold a password.
            throw new IllegalArgumentException("the broker's URL in the configuration is not valid");
        }
        factory.setWatchTopicAdvisories(false);
        // Whatever the URL says: a send returns when the broker has confirmed it,
        factory.setUseAsyncSend(false);
        factory.setAlwaysSyncSend(true);
        // and a redelivery reaches the ledger as a duplicate instead of the dead letter queue. Transactions need the
        // check to recognise what they saw before a failover.
        factory.setCheckForDuplicates(options.transacted > 0);
    }

    /** The connection, started. Blocks while no broker answers, when the URL says so. */
    synchronized ActiveMQConnection open() throws JMSException {
        if (connection == null) {
            ActiveMQConnection fresh = (ActiveMQConnection) factory.createConnection();
            connection = fresh;
            fresh.addTransportListener(new DefaultTransportListener() {
                @Override
                public void transportInterupted() {
                    disconnected("interrupted");
                }

                @Override
                public void transportResumed() {
                    connected(fresh);
                }

                @Override
                public void onException(IOException e) {
                    disconnected(String.valueOf(e.getMessage()));
                }
            });
            try {
                if (closing) {
                    throw new JMSException("stopping");
                }
                if (clientId != null) {
                    fresh.setClientID(clientId);
                }
                fresh.start();
                connected(fresh);
            } catch (JMSException e) {
                drop(fresh);
                throw e;
            }
        }
        return connection;
    }

    /** Gives up a connection that does not work any more; open() makes another. */
    synchronized void drop(ActiveMQConnection dead) {
        if (dead == null || dead != connection) {
            return;
        }
        connection = null;
        disconnected("dropped");
        try {
            dead.close();
        } catch (JMSException e) {
            // It was broken before; the broker notices on its own.
            return;
        }
    }

    /** Ends the connection for good, also one that is just being opened. */
    void close() {
        closing = true;
        ActiveMQConnection last = connection;
        if (last != null) {
            try {
                last.close();
            } catch (JMSException e) {
                ledger.event("error", "close: " + e.getMessage());
            }
            disconnected("closed");
        }
    }

    private void connected(ActiveMQConnection current) {
        String address = String.valueOf(current.getTransport().getRemoteAddress());
        synchronized (ledger) {
            // A failover transport also reports a move that no interruption preceded (priorityBackup).
            if (!address.equals(connectedTo)) {
                connectedTo = address;
                ledger.event("connected", address);
            }
        }
    }

    private void disconnected(String reason) {
        synchronized (ledger) {
            if (connectedTo != null) {
                connectedTo = null;
                ledger.event("disconnected", reason);
            }
        }
    }
}
