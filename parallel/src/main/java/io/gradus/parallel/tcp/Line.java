package io.gradus.parallel.tcp;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;

/** A blocking connection with its streams, during introductions and for control messages. */
final class Line implements AutoCloseable {
    final Socket socket;
    final DataInputStream in;
    final DataOutputStream out;

    Line(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream()); // not buffered: others read from the channel later
        this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
        channel().setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** The channel of the connection. */
    SocketChannel channel() {
        return socket.getChannel();
    }

    /** How long a read waits; 0 for ever. */
    void setPatience(long millis) throws IOException {
        socket.setSoTimeout(Math.toIntExact(millis));
    }

    /** Says that nothing more will be sent. */
    void endOutput() {
        try {
            channel().shutdownOutput();
        } catch (IOException e) {
            // the connection is lost
        }
    }

    @Override
    public void close() {
        try {
            channel().close();
        } catch (IOException e) {
            // it is closed in any case
        }
    }
}
