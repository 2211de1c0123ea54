// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.Session;
import javax.jms.TransactionRolledBackException;
import org.apache.activemq.ActiveMQConnection;

/** A thread with a session of its own, which it makes anew until the service stops. */
abstract class Worker extends Thread {
    private static final long SHORTEST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 1000;

    final Options options;
    final Ledger ledger;
    private final Link link;
    private final CountDownLatch stop;
    /** Null for a worker that sends nothing. */
    final Sender sender;

    Worker(String name, Options options, Ledger ledger, Link link, CountDownLatch stop, Sender sender) {
        super(name);
        this.options = options;
        this.ledger = ledger;
        this.link = link;
        this.stop = stop;
        this.sender = sender;
    }

    /** Works in one session until the service stops. */
    abstract void work(Session session) throws JMSException;

    /** Called after a failure, before another session is tried. */
    void failed() {
    }

    @Override
    public void run() {
        long pause = SHORTEST_PAUSE_MILLIS;
        while (!stopping() || (sender != null && !sender.pending().isEmpty())) {
            long begin = System.nanoTime();
            ActiveMQConnection connection = null;
            try {
                connection = link.open();
                workInSession(connection);
            } catch (TransactionRolledBackException e) {
                // The connection is sound; only the transaction is lost.
                ledger.event("error", getName() + ": " + e.getMessage());
                failed();
            } catch (JMSException e) {
                ledger.event("error", getName() + ": " + e.getMessage());
                link.drop(connection);
                failed();
                if (TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin) > 5 * LONGEST_PAUSE_MILLIS) {
                    pause = SHORTEST_PAUSE_MILLIS;
                }
                rest(pause);
                pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
            }
        }
    }

    private void workInSession(ActiveMQConnection connection) throws JMSException {
        boolean transacted = options.transacted > 0;
        // One consumer a session and one message at a time: each acknowledgement is for exactly one message. ActiveMQ's
        // own INDIVIDUAL_ACKNOWLEDGE would send a redelivery after a failover to the dead letter queue.
        Session session = connection.createSession(
                transacted, transacted ? Session.SESSION_TRANSACTED : Session.CLIENT_ACKNOWLEDGE);
        try {
            work(session);
        } finally {
            // Also after a rollback: the consumer of a forgotten session would go on taking messages.
            session.close();
        }
    }

    boolean stopping() {
        return stop.getCount() == 0;
    }

    /** Waits, but not beyond the service's end. */
    void pause(long millis) {
        try {
            stop.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits also while the service stops: an unconfirmed message is still being tried. */
    private static void rest(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static Destination destination(Session session, String name) throws JMSException {
        String physical = name.substring("queue://".length());
        return name.startsWith("topic://") ? session.createTopic(physical) : session.createQueue(physical);
    }
}
