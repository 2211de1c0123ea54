// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.nio.file.Files;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.jms.JMSException;
import javax.jms.Session;

/** Sends to one destination at a steady rate while the control file exists. */
final class Producer extends Worker {
    private static final long POLL_MILLIS = 50;
    private static final long LONGEST_DELAY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String destination;

    Producer(String destination, Options options, Ledger ledger, Link link, CountDownLatch stop, Sender sender) {
        super("producer of " + destination, options, ledger, link, stop, sender);
        this.destination = destination;
    }

    @Override
    void work(Session session) throws JMSException {
        int batch = Math.max(1, options.transacted);
        long period = (long) (options.burst / options.rate * TimeUnit.SECONDS.toNanos(1));
        sender.attach(session, destination(session, destination));
        long due = System.nanoTime();
        while (!stopping()) {
            if (!Files.exists(options.control)) {
                sender.commit();
                pause(POLL_MILLIS);
                due = System.nanoTime();
                continue;
            }
            long wait = due - System.nanoTime();
            if (wait > 0) {
                pause(Math.min(POLL_MILLIS, 1 + TimeUnit.NANOSECONDS.toMillis(wait)));
                continue;
            }
            if (-wait > LONGEST_DELAY_NANOS) {
                due = System.nanoTime(); // what an outage kept back is not sent in a flood after it
            }
            due += period;
            for (int i = 0; i < options.burst && !stopping(); i++) {
                sender.send();
                if (sender.pending().size() >= batch) {
                    sender.commit();
                }
            }
        }
        sender.commit();
    }
}
