package io.gradus.train.export;

import io.gradus.core.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * A tensor of a GGUF file, which is read while the file is written.
 *
 * @param name in the file
 * @param type of its elements in the file
 */
record GgufTensor(String name, GgufType type, Rows rows) {
    private static final int BUFFER = 1 << 20;

    Shape shape() {
        return rows.shape();
    }

    /** The number of bytes in the file, without padding. */
    long byteSize() {
        return type.bytes(shape().size());
    }

    /**
     * Writes the elements at the channel's position.
     *
     * @throws IOException if a number is out of the type's range, or a file cannot be read or written
     */
    void write(FileChannel channel) throws IOException {
        float[] row = new float[rows.columns()];
        int rowBytes = Math.toIntExact(type.bytes(row.length));
        ByteBuffer buffer = ByteBuffer.allocate(Math.max(BUFFER, rowBytes)).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < rows.count(); i++) {
            if (buffer.remaining() < rowBytes) {
                drain(buffer, channel);
            }
            rows.reader().read(i, row);
            int misfit = type.encode(row, buffer);
            if (misfit >= 0) {
                throw new IOException("export gguf: tensor '" + name + "' has numbers that " + type
                        + " cannot hold, such as those at row " + i + ", column " + misfit + "; use --dtype f32");
            }
        }
        drain(buffer, channel);
    }

    private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }
}
