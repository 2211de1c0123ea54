// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import javax.jms.BytesMessage;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;
import javax.jms.Topic;

/** Receives from one destination: writes the id down, passes a message on if asked to, and then acknowledges. */
final class Consumer extends Worker {
    private static final long POLL_MILLIS = 200;
    private static final int LONGEST_ID = 200;

    private final String source;

    /** @param sender passes a new message on for each received one; may be null */
    Consumer(String source, Options options, Ledger ledger, Link link, CountDownLatch stop, Sender sender) {
        super("consumer of " + source, options, ledger, link, stop, sender);
        this.source = source;
    }

    @Override
    void work(Session session) throws JMSException {
        boolean transacted = options.transacted > 0;
        if (sender != null) {
            sender.attach(session, destination(session, options.forward));
        }
        Destination from = destination(session, source);
        boolean durable = options.durable != null && from instanceof Topic;
        MessageConsumer consumer = durable
                ? session.createDurableSubscriber((Topic) from, options.durable)
                : session.createConsumer(from);
        ledger.subscribed(source, durable ? options.durable : null);
        int uncommitted = 0;
        while (!stopping()) {
            Message message = consumer.receive(POLL_MILLIS);
            if (message != null) {
                pause(options.slowMillis);
                if (stopping() && options.slowMillis > 0) {
                    break; // not processed, so neither written down nor acknowledged: the broker delivers it again
                }
                ledger.received(id(message), source, message.getJMSRedelivered());
                if (sender != null) {
                    sender.send();
                }
                if (transacted) {
                    uncommitted++;
                } else {
                    if (sender != null) {
                        sender.commit();
                    }
                    message.acknowledge();
                }
            }
            // An idle consumer does not keep a transaction open.
            if (uncommitted >= options.transacted || message == null) {
                commit(session, uncommitted);
                uncommitted = 0;
            }
        }
        commit(session, uncommitted);
    }

    /** What a lost transaction passed on is not sent again: its messages are delivered again and passed on anew. */
    @Override
    void failed() {
        if (sender != null && options.transacted > 0) {
            sender.giveUp();
        }
    }

    private void commit(Session session, int uncommitted) throws JMSException {
        if (uncommitted == 0) {
            return;
        }
        if (sender == null) {
            session.commit();
        } else {
            sender.commit();
        }
    }

    /** The body is the id. It comes from a broker, so it may be anything. */
    private static String id(Message message) throws JMSException {
        String body = null;
        if (message instanceof TextMessage) {
            body = ((TextMessage) message).getText();
        } else if (message instanceof BytesMessage) {
            byte[] bytes = new byte[LONGEST_ID];
            int length = ((BytesMessage) message).readBytes(bytes);
            body = new String(bytes, 0, Math.max(0, length), StandardCharsets.UTF_8);
        }
        if (body == null || body.isEmpty()) {
            return "foreign:" + message.getJMSMessageID();
        }
        return body.substring(0, Math.min(body.length(), LONGEST_ID));
    }
}
