package io.gradus.parallel;

/**
 * What communication has cost a process.
 *
 * @param seconds in which its communication thread was busy, also with waiting for messages of other processes
 * @param waited seconds in which the program waited for that thread; it computed in the rest
 */
public record CommunicationTime(double seconds, double waited) {
    /** No communication. */
    public static final CommunicationTime NONE = new CommunicationTime(0, 0);

    /** What was added since an earlier time. */
    public CommunicationTime since(CommunicationTime earlier) {
        return new CommunicationTime(seconds - earlier.seconds, waited - earlier.waited);
    }

    public CommunicationTime plus(CommunicationTime other) {
        return new CommunicationTime(seconds + other.seconds, waited + other.waited);
    }

    /** The share of the communication that was hidden behind computation, from 0 to 1; 0 without communication. */
    public double hidden() {
        return seconds <= 0 ? 0 : Math.clamp(1 - waited / seconds, 0, 1);
    }
}
