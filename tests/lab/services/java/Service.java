// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A small service that talks OpenWire, as a company's own would: its broker's URL comes from its configuration file and is
 * used as it is. It sends persistent messages with numbered ids, receives, or both, and writes every confirmed send and
 * every receive to its ledger. The options are those of tests/lab/services/__init__.py.
 */
public final class Service {
    private static final long UNCONFIRMED_SECONDS = 5;
    private static final long FINISH_SECONDS = 1;
    private static final long CLOSE_MILLIS = 900;
    private static final long POLL_MILLIS = 10;

    private Service() {
    }

    public static void main(String[] arguments) {
        try {
            run(new Options(arguments));
        } catch (IllegalArgumentException | IOException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        }
    }

    private static void run(Options options) throws IOException {
        if (options.truststore != null) {
            System.setProperty("javax.net.ssl.trustStore", options.truststore.toString());
            System.setProperty("javax.net.ssl.trustStorePassword", options.truststorePassword);
        }
        Ledger ledger = new Ledger(options.ledger);
        Link link = new Link(options, ledger);
        ledger.event("start", "pid=" + ProcessHandle.current().pid() + " role=" + options.role()
                + (options.forward == null ? "" : " forward=" + options.forward));
        CountDownLatch stop = new CountDownLatch(1);
        String prefix = options.name + ":" + System.currentTimeMillis();
        List<Worker> workers = new ArrayList<>();
        for (String destination : options.produce) {
            Sender sender = new Sender(ledger, destination, prefix);
            workers.add(new Producer(destination, options, ledger, link, stop, sender));
        }
        for (int i = 0; i < options.consume.size(); i++) {
            Sender sender = null;
            if (options.forward != null) {
                // Consumers that pass on to the same destination number their messages apart.
                sender = new Sender(ledger, options.forward, options.consume.size() > 1 ? prefix + "-" + i : prefix);
            }
            workers.add(new Consumer(options.consume.get(i), options, ledger, link, stop, sender));
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(workers, link, ledger, stop), "end"));
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {
            ledger.event("error", thread.getName() + ": " + error);
            error.printStackTrace();
            Runtime.getRuntime().halt(4);
        });
        for (Worker worker : workers) {
            worker.start();
        }
    }

    /** The answer to SIGTERM: lets the workers finish, writes down what stays unconfirmed, closes, and exits with 0. */
    private static void end(List<Worker> workers, Link link, Ledger ledger, CountDownLatch stop) {
        stop.countDown();
        long begin = System.nanoTime();
        while (workers.stream().anyMatch(Thread::isAlive)) {
            boolean pending = workers.stream().anyMatch(w -> w.sender != null && !w.sender.pending().isEmpty());
            long limit = TimeUnit.SECONDS.toNanos(pending ? UNCONFIRMED_SECONDS : FINISH_SECONDS);
            if (System.nanoTime() - begin > limit) {
                break; // what still waits for a broker is ended by closing the connection
            }
            pause(POLL_MILLIS);
        }
        for (Worker worker : workers) {
            if (worker.sender != null) {
                worker.sender.giveUp();
            }
        }
        Thread closer = new Thread(link::close, "closer");
        closer.setDaemon(true);
        closer.start();
        for (int waited = 0; closer.isAlive() && waited < CLOSE_MILLIS; waited += POLL_MILLIS) {
            pause(POLL_MILLIS);
        }
        ledger.event("stop", null);
        Runtime.getRuntime().halt(0);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
