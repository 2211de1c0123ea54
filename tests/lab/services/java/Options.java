// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The command line, and the broker's address and credentials from where it says. */
final class Options {
    private static final Set<String> KNOWN = Set.of(
            "name", "config", "ledger", "control", "produce", "rate", "burst", "consume", "forward", "transacted",
            "slow", "durable", "client-id", "truststore", "truststore-password");

    final String name;
    final Path ledger;
    /** Producing goes on while this file exists. */
    final Path control;
    final List<String> produce;
    /** Messages a second, for each destination. */
    final double rate;
    final int burst;
    final List<String> consume;
    final String forward;
    /** Messages in a transaction; 0: no transactions. */
    final int transacted;
    final long slowMillis;
    final String durable;
    final String clientId;
    final Path truststore;
    final String truststorePassword;
    final String url;
    final String username;
    final String password;

    /** @throws IllegalArgumentException with one sentence for the operator */
    Options(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            String option = arguments[i].startsWith("--") ? arguments[i].substring(2) : "";
            if (!KNOWN.contains(option) || i + 1 == arguments.length) {
                throw new IllegalArgumentException("unknown option, or an option without a value: " + arguments[i]);
            }
            given.put(option, arguments[i + 1]);
        }
        name = required(given, "name");
        ledger = Path.of(required(given, "ledger"));
        produce = destinations(given.get("produce"));
        consume = destinations(given.get("consume"));
        List<String> forwards = destinations(given.get("forward"));
        forward = forwards.isEmpty() ? null : forwards.get(0);
        rate = Double.parseDouble(given.getOrDefault("rate", "10"));
        burst = Integer.parseInt(given.getOrDefault("burst", "1"));
        transacted = Integer.parseInt(given.getOrDefault("transacted", "0"));
        slowMillis = Long.parseLong(given.getOrDefault("slow", "0"));
        durable = given.get("durable");
        clientId = given.get("client-id");
        control = produce.isEmpty() ? null : Path.of(required(given, "control"));
        truststore = given.containsKey("truststore") ? Path.of(given.get("truststore")) : null;
        truststorePassword = given.getOrDefault("truststore-password", "");
        if (produce.isEmpty() && consume.isEmpty()) {
            throw new IllegalArgumentException("nothing to do: give --produce or --consume");
        }
        if (forward != null && consume.isEmpty()) {
            throw new IllegalArgumentException("--forward needs --consume");
        }
        if (forwards.size() > 1 || produce.contains(forward)) {
            throw new IllegalArgumentException("--forward takes one destination, and not one of --produce");
        }
        if (durable != null && clientId == null) {
            throw new IllegalArgumentException("--durable needs --client-id");
        }
        if (!(rate > 0) || burst < 1 || transacted < 0 || slowMillis < 0) {
            throw new IllegalArgumentException("--rate and --burst must be positive, --transacted and --slow not negative");
        }
        if (truststore != null && !Files.isReadable(truststore)) {
            throw new IllegalArgumentException("the truststore " + truststore + " cannot be read");
        }
        String config = required(given, "config");
        if (config.equals("env")) {
            url = setting(System.getenv("BROKER_URL"), "BROKER_URL", config);
            username = emptyIsNone(System.getenv("BROKER_USERNAME"));
            password = emptyIsNone(System.getenv("BROKER_PASSWORD"));
        } else if (config.endsWith(".xml")) {
            Document beans = loadBeans(Path.of(config));
            url = setting(property(beans, "brokerURL"), "brokerURL", config);
            username = emptyIsNone(property(beans, "userName"));
            password = emptyIsNone(property(beans, "password"));
        } else {
            Properties properties = load(Path.of(config));
            url = setting(properties.getProperty("broker.url"), "broker.url", config);
            username = emptyIsNone(properties.getProperty("broker.username"));
            password = emptyIsNone(properties.getProperty("broker.password"));
        }
    }

    /** What the service is, in the inventory's words. */
    String role() {
        boolean sends = !produce.isEmpty() || forward != null;
        return sends && !consume.isEmpty() ? "both" : sends ? "producer" : "consumer";
    }

    private static String required(Map<String, String> given, String option) {
        if (!given.containsKey(option)) {
            throw new IllegalArgumentException("--" + option + " is missing");
        }
        return given.get(option);
    }

    private static List<String> destinations(String list) {
        List<String> found = new ArrayList<>();
        if (list != null) {
            for (String item : list.split(",")) {
                if (!item.matches("(queue|topic)://.+")) {
                    throw new IllegalArgumentException("not a destination (queue://name or topic://name): " + item);
                }
                found.add(item);
            }
        }
        return found;
    }

    private static Properties load(Path file) {
        Properties properties = new Properties();
        try (InputStream stream = Files.newInputStream(file)) {
            properties.load(stream);
        } catch (IOException e) {
            throw new IllegalArgumentException("the configuration " + file + " cannot be read: " + e.getMessage());
        }
        return properties;
    }

    private static Document loadBeans(Path file) {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        } catch (IOException | ParserConfigurationException | SAXException e) {
            throw new IllegalArgumentException("the configuration " + file + " cannot be read: " + e.getMessage());
        }
    }

    /** A property of the bean connectionFactory; null when there is none. */
    private static String property(Document beans, String name) {
        NodeList elements = beans.getElementsByTagName("property");
        for (int i = 0; i < elements.getLength(); i++) {
            Element element = (Element) elements.item(i);
            Element bean = (Element) element.getParentNode();
            if (bean.getAttribute("id").equals("connectionFactory") && element.getAttribute("name").equals(name)) {
                return element.getAttribute("value");
            }
        }
        return null;
    }

    private static String setting(String value, String key, String where) {
        if (value == null) {
            throw new IllegalArgumentException(key + " is missing in " + where);
        }
        return value;
    }

    /** No credentials are not the same as empty ones: a broker that lets anonymous clients in refuses empty ones. */
    private static String emptyIsNone(String value) {
        return value == null || value.isEmpty() ? null : value;
    }
}
