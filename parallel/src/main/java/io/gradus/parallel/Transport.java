package io.gradus.parallel;

import java.lang.foreign.MemorySegment;

/**
 * Carries messages between the processes of a job. Between two processes, messages with the same tag arrive in the order in
 * which they were sent. All methods except {@link #abort} are called by one thread.
 */
public interface Transport extends AutoCloseable {

    /** The number of this process, from 0. */
    int rank();

    /** The number of processes. */
    int size();

    /**
     * Starts to send bytes. They must not change until the transfer is complete.
     *
     * @param bytes native memory
     * @param to the rank that receives them
     * @param tag at least 0 and below 2^15
     */
    Transfer send(MemorySegment bytes, int to, int tag);

    /**
     * Starts to receive bytes. They are undefined until the transfer is complete.
     *
     * @param bytes native memory of exactly the size of the message
     * @param from the rank that sends them
     * @param tag of the message
     */
    Transfer receive(MemorySegment bytes, int from, int tag);

    /**
     * Ends the whole job: every process fails. Any thread may call this method.
     *
     * @param reason which process ends the job and why; it is shown to the user, or is the error of the other processes
     */
    void abort(String reason);

    /** Leaves the job. All processes must call this method, after their transfers are complete. */
    @Override
    void close();

    /** A message on its way. */
    interface Transfer {
        /**
         * Whether it has arrived, or has left the sender's memory. Once true, this method must not be called again.
         *
         * @throws CommunicationException if the transfer failed, or the message has another size than the receiver's memory
         */
        boolean isComplete();
    }
}
