package io.gradus.parallel;

import io.gradus.parallel.mpi.MpiTransport;

/** One process of the job that {@link MpiTransportTest} starts: runs all checks, and prints the names of those that pass. */
final class MpiRank {
    /** The argument with which rank 1 aborts the job instead. */
    static final String ABORT = "abort";

    private MpiRank() {}

    public static void main(String[] args) {
        MpiTransport[] transport = new MpiTransport[1];
        Communicator communicator = Communicator.of(() -> transport[0] = new MpiTransport());
        if (args.length > 0) {
            if (communicator.rank() == 1) {
                communicator.abort("the disk is full");
            }
            communicator.barrier();
            return;
        }
        String rank = "rank " + communicator.rank() + " of " + communicator.size();
        CommunicatorChecks.all().forEach((name, check) -> {
            try {
                check.run(communicator);
                System.out.println(rank + " passed " + name);
            } catch (Exception | AssertionError e) {
                communicator.abort(name + " failed: " + e);
            }
        });
        communicator.close();
        System.out.println(rank + " used " + transport[0].version());
    }
}
