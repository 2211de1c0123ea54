// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import javax.jms.Connection;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.transport.Transport;
import org.apache.activemq.transport.failover.FailoverTransport;

/**
 * Says what the ActiveMQ client does with each URL: one URL (UTF-8, base64) a line on standard input, one answer a line
 * on standard output, in the same order.
 *
 * <pre>
 * creation REASON    the connection factory refuses the URL
 * start REASON       the connection fails
 * connected NAME     it is connected to the broker of this name
 * retrying           it is still trying: after ROUNDS failed rounds, or LIMIT_MS without an answer
 * </pre>
 *
 * The reason is base64 too.
 */
public final class UrlCheck {
    private static final int PARALLEL = 64;
    private static final int ROUNDS = 5;
    private static final long LIMIT_MS = 60000;
    private static final long POLL_MS = 10;

    private UrlCheck() {
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(PARALLEL);
        List<Future<String>> answers = new ArrayList<>();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String url = new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8);
            answers.add(pool.submit(() -> check(url)));
        }
        int status = 1;
        try {
            for (Future<String> answer : answers) {
                System.out.println(answer.get());
            }
            status = 0;
        } catch (ExecutionException defect) {
            defect.printStackTrace();
        } finally {
            System.out.flush();
            Runtime.getRuntime().halt(status); // connections that still retry would keep the program alive
        }
    }

    private static String check(String url) throws Exception {
        ActiveMQConnectionFactory factory;
        try {
            factory = new ActiveMQConnectionFactory(url);
        } catch (RuntimeException refused) {
            return "creation " + reason(refused);
        }
        CompletableFuture<ActiveMQConnection> created = new CompletableFuture<>();
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                Connection connection = factory.createConnection();
                created.complete((ActiveMQConnection) connection);
                connection.start();
                answer.complete("connected " + ((ActiveMQConnection) connection).getBrokerName());
            } catch (Exception | Error failure) {
                answer.complete("start " + reason(failure));
            }
        });
        thread.setDaemon(true);
        thread.start();
        String found = await(created, answer);
        ActiveMQConnection connection = created.getNow(null);
        if (connection != null) {
            stop(connection.getTransport());
        }
        return found;
    }

    private static String await(CompletableFuture<ActiveMQConnection> created, CompletableFuture<String> answer)
            throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MS);
        while (System.nanoTime() < end) {
            try {
                return answer.get(POLL_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException notYet) {
                ActiveMQConnection connection = created.getNow(null);
                if (connection != null && failedRounds(connection.getTransport()) >= ROUNDS) {
                    return answer.getNow("retrying");
                }
            } catch (ExecutionException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
        return "retrying";
    }

    /** The failed rounds over the list; of a list that counts as connected to an inner list, those of the inner one. */
    private static int failedRounds(Transport outer) throws Exception {
        FailoverTransport transport = outer == null ? null : outer.narrow(FailoverTransport.class);
        if (transport == null) {
            return 0;
        }
        AtomicReference<?> inner = (AtomicReference<?>) privateField("connectedTransport").get(transport);
        return privateField("connectFailures").getInt(transport) + failedRounds((Transport) inner.get());
    }

    private static Field privateField(String name) throws NoSuchFieldException {
        Field field = FailoverTransport.class.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** Ends the retries. In the background: the transport cannot be stopped while it waits for a peer. */
    private static void stop(Transport transport) {
        Thread thread = new Thread(() -> {
            try {
                transport.stop();
            } catch (Exception ignored) {
                // The answer is known already.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static String reason(Throwable exception) {
        return Base64.getEncoder().encodeToString(String.valueOf(exception).getBytes(StandardCharsets.UTF_8));
    }
}
