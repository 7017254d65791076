// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a {@link TcpProxy} changes in the messages that begin a session. They are in "Message Formats" of the PostgreSQL
 * manual.
 *
 * <p>This class is thread-safe.
 */
final class SessionStart {
    private static final int CANCEL_REQUEST = 80877102;

    /** No process id has this bit. */
    private static final int PID_BIT = 0x4000_0000;

    private final Map<String, String> parameters = new ConcurrentHashMap<>();
    private volatile boolean otherKey;

    SessionStart() {}

    void rewriteBackendKey() {
        otherKey = true;
    }

    void reportParameter(String name, String value) {
        parameters.put(name, value);
    }

    private boolean changesNothing() {
        return !otherKey && parameters.isEmpty();
    }

    /** Server to client, up to the first ReadyForQuery: another process id in BackendKeyData, other ParameterStatus. */
    void toClient(DataInputStream in, OutputStream client) throws IOException {
        if (changesNothing()) {
            return;
        }
        var out = new DataOutputStream(new BufferedOutputStream(client));
        Set<String> missing = new HashSet<>(parameters.keySet());
        byte type;
        do {
            type = in.readByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - 4);
            if (type == 'K' && otherKey) {
                flipPid(body, 0);
            } else if (type == 'S' && parameters.containsKey(parameterName(body))) {
                missing.remove(parameterName(body));
                body = parameterStatus(parameterName(body));
            } else if (type == 'Z') {
                for (String name : missing) {
                    write(out, (byte) 'S', parameterStatus(name));
                }
            }
            write(out, type, body);
            out.flush();
        } while (type != 'Z');
    }

    private static void write(DataOutputStream out, byte type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(body.length + 4);
        out.write(body);
    }

    private static String parameterName(byte[] body) {
        String nameAndValue = new String(body, StandardCharsets.UTF_8);
        return nameAndValue.substring(0, nameAndValue.indexOf('\0'));
    }

    private byte[] parameterStatus(String name) {
        return (name + '\0' + parameters.get(name) + '\0').getBytes(StandardCharsets.UTF_8);
    }

    /** Client to server, the first message: the true process id in CancelRequest. */
    void toServer(DataInputStream in, OutputStream server) throws IOException {
        if (changesNothing()) {
            return;
        }
        var out = new DataOutputStream(new BufferedOutputStream(server));
        int length = in.readInt();
        byte[] body = in.readNBytes(length - 4);
        int code = (body[0] & 0xff) << 24 | (body[1] & 0xff) << 16 | (body[2] & 0xff) << 8 | (body[3] & 0xff);
        if (code == CANCEL_REQUEST && otherKey) {
            flipPid(body, 4);
        }
        out.writeInt(length);
        out.write(body);
        out.flush();
    }

    private static void flipPid(byte[] body, int offset) {
        body[offset] ^= (byte) (PID_BIT >>> 24);
    }
}
