// Copyright (c) 2026, mqlift contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Appends what happened to a file: one JSON object a line, one write a line. tests/lab/ledger.py is its reader. */
final class Ledger {
    private static final int LONGEST_TEXT = 300;

    private final FileChannel channel;

    Ledger(Path file) throws IOException {
        cutUnfinishedLine(file);
        channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    }

    void event(String event, String detail) {
        write(event, null, null, detail, false);
    }

    void subscribed(String destination, String durable) {
        write("subscribed", null, destination, durable, false);
    }

    void sent(String id, String destination) {
        write("sent", id, destination, null, false);
    }

    void unsure(String id, String destination) {
        write("unsure", id, destination, null, false);
    }

    void received(String id, String destination, boolean redelivered) {
        write("recv", id, destination, null, redelivered);
    }

    private synchronized void write(String event, String id, String destination, String detail, boolean redelivered) {
        StringBuilder line = new StringBuilder(160);
        line.append(String.format(Locale.ROOT, "{\"t\":%.3f", System.currentTimeMillis() / 1000.0));
        text(line, "ev", event);
        text(line, "id", id);
        text(line, "dest", destination);
        text(line, "x", detail);
        line.append(redelivered ? ",\"redelivered\":true}\n" : "}\n");
        ByteBuffer bytes = ByteBuffer.wrap(line.toString().getBytes(StandardCharsets.UTF_8));
        try {
            channel.write(bytes);
        } catch (IOException e) {
            fail(e.getMessage());
        }
        if (bytes.hasRemaining()) {
            fail("the disk is full");
        }
    }

    /** A service that cannot write things down must not go on: nothing is acknowledged that is not in the ledger. */
    private static void fail(String reason) {
        System.err.println("the ledger cannot be written: " + reason);
        Runtime.getRuntime().halt(3);
    }

    /** A writer that was killed may have left half a line; the reader tolerates one only at the end of the file. */
    private static void cutUnfinishedLine(Path file) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            long end = access.length();
            while (end > 0) {
                access.seek(end - 1);
                if (access.read() == '\n') {
                    break;
                }
                end--;
            }
            access.setLength(end);
        }
    }

    private static void text(StringBuilder line, String key, String value) {
        if (value == null) {
            return;
        }
        line.append(",\"").append(key).append("\":\"");
        for (char c : value.substring(0, Math.min(value.length(), LONGEST_TEXT)).toCharArray()) {
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                line.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }
}
