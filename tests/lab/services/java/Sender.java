// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.util.ArrayList;
import java.util.List;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.MessageProducer;
import javax.jms.Session;

/** Sends messages to one destination and remembers the ids that are not confirmed, beyond the life of a session. */
final class Sender {
    private final Ledger ledger;
    private final String destination;
    private final String prefix;
    private final List<String> pending = new ArrayList<>();
    private long sequence;
    private Session session;
    private MessageProducer producer;

    /** @param prefix what ids start with: the service's name and its start in epoch milliseconds */
    Sender(Ledger ledger, String destination, String prefix) {
        this.ledger = ledger;
        this.destination = destination;
        this.prefix = prefix;
    }

    /** Goes on in another session, and first sends again what the previous one left unconfirmed. */
    void attach(Session fresh, Destination to) throws JMSException {
        session = fresh;
        producer = fresh.createProducer(to);
        List<String> again = pending();
        for (String id : again) {
            producer.send(session.createTextMessage(id));
        }
        if (!again.isEmpty()) {
            commit();
        }
    }

    /** Sends one new message. It counts as sent after commit(). */
    void send() throws JMSException {
        String id = prefix + ":" + ++sequence;
        synchronized (pending) {
            pending.add(id);
        }
        producer.send(session.createTextMessage(id));
    }

    /** Commits the session if it is transacted, and writes down that the pending messages are sent. */
    void commit() throws JMSException {
        if (session.getTransacted()) {
            session.commit();
        }
        synchronized (pending) {
            for (String id : pending) {
                ledger.sent(id, destination);
            }
            pending.clear();
        }
    }

    /** Writes down that nobody knows whether the pending messages arrived, and forgets them. */
    void giveUp() {
        synchronized (pending) {
            for (String id : pending) {
                ledger.unsure(id, destination);
            }
            pending.clear();
        }
    }

    List<String> pending() {
        synchronized (pending) {
            return new ArrayList<>(pending);
        }
    }
}
