// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.util.ArrayList;
import java.util.List;
import org.apache.activemq.broker.BrokerService;

/**
 * Brokers without storage on free ports of 127.0.0.1, one for each name in the arguments. Prints one line per broker,
 * {@code NAME OPENWIRE_PORT STOMP_PORT}, and ends when standard input is closed.
 */
public final class Brokers {
    private Brokers() {
    }

    public static void main(String[] names) throws Exception {
        List<BrokerService> brokers = new ArrayList<>();
        for (String name : names) {
            BrokerService broker = new BrokerService();
            broker.setBrokerName(name);
            broker.setPersistent(false);
            broker.setUseJmx(false);
            broker.setSchedulerSupport(false);
            broker.setUseShutdownHook(false);
            broker.addConnector("tcp://127.0.0.1:0");
            broker.addConnector("stomp://127.0.0.1:0");
            broker.start();
            brokers.add(broker);
        }
        for (BrokerService broker : brokers) {
            System.out.printf("%s %d %d%n", broker.getBrokerName(), port(broker, 0), port(broker, 1));
        }
        while (System.in.read() >= 0) {
            continue;
        }
        Runtime.getRuntime().halt(0);
    }

    private static int port(BrokerService broker, int connector) throws Exception {
        return broker.getTransportConnectors().get(connector).getConnectUri().getPort();
    }
}
