package io.gradus.parallel.tcp;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.ProtocolException;

/**
 * How a process introduces itself when it has opened a connection. Whoever speaks another protocol is told apart by the first
 * number.
 *
 * @param purpose what the connection is for
 * @param job the name of the job
 * @param size the number of its processes
 * @param rank of the process
 * @param host its name
 * @param port at which it listens; 0 if that does not matter
 */
record Hello(Purpose purpose, String job, int size, int rank, String host, int port) {
    /** "GRADUS" and the version of this protocol. */
    private static final long MAGIC = 0x4752414455530001L;

    /** What a connection is for. */
    enum Purpose {
        /** Control messages between rank 0 and another. */
        CONTROL,
        /** Data between two ranks. */
        DATA
    }

    static Hello read(DataInputStream in) throws IOException {
        requireMagic(in);
        Purpose purpose = in.readBoolean() ? Purpose.CONTROL : Purpose.DATA;
        return new Hello(purpose, in.readUTF(), in.readInt(), in.readInt(), in.readUTF(), in.readInt());
    }

    void write(DataOutputStream out) throws IOException {
        out.writeLong(MAGIC);
        out.writeBoolean(purpose == Purpose.CONTROL);
        out.writeUTF(job);
        out.writeInt(size);
        out.writeInt(rank);
        out.writeUTF(host);
        out.writeInt(port);
        out.flush();
    }

    /**
     * The answer to an introduction.
     *
     * @param problem why the process is rejected; empty if it is welcome
     * @param isFinal whether it is pointless to try again
     */
    record Answer(String problem, boolean isFinal) {
        static final Answer WELCOME = new Answer("", false);

        static Answer read(DataInputStream in) throws IOException {
            requireMagic(in);
            return new Answer(in.readUTF(), in.readBoolean());
        }

        void write(DataOutputStream out) throws IOException {
            out.writeLong(MAGIC);
            out.writeUTF(problem);
            out.writeBoolean(isFinal);
            out.flush();
        }
    }

    private static void requireMagic(DataInputStream in) throws IOException {
        if (in.readLong() != MAGIC) {
            throw new ProtocolException("what answers there is not a process of this version of Gradus");
        }
    }
}
