package io.gradus.parallel.launch;

import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.Communicator;
import io.gradus.parallel.mpi.MpiTransport;
import io.gradus.parallel.tcp.TcpJob;
import io.gradus.parallel.tcp.TcpTransport;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the launcher of a job tells this process by environment variables: mpirun, torchrun, Slurm's srun, or a script. Under a
 * launcher of MPI the processes communicate through MPI, and otherwise by TCP connections. The system property
 * {@code gradus.transport} ({@code mpi} or {@code tcp}) decides otherwise.
 */
public final class Launch {
    /** The property that names the transport. */
    static final String TRANSPORT = "gradus.transport";
    /** The property with the seconds that processes wait for each other at the start. */
    static final String PATIENCE = "gradus.join.seconds";

    private static final int DEFAULT_PATIENCE = 300;
    private static final int DEFAULT_PORT = 29500; // of torchrun
    /** How many ports are tried where none was chosen for this program. */
    private static final int PORTS = 8;

    private final Launcher launcher;
    private final Map<String, String> environment;
    private final int rank;
    private final int size;

    private Launch(Launcher launcher, Map<String, String> environment, int rank, int size) {
        this.launcher = launcher;
        this.environment = environment;
        this.rank = rank;
        this.size = size;
    }

    /**
     * The launch of this process; empty if no launcher started it.
     *
     * @throws IllegalArgumentException if a variable is not a number, or the rank is not below the number of processes
     */
    public static Optional<Launch> ofThisProcess() {
        return of(System.getenv());
    }

    /** The launch of a process with these environment variables. */
    public static Optional<Launch> of(Map<String, String> environment) {
        for (Launcher launcher : Launcher.values()) {
            if (!environment.containsKey(launcher.mark())) {
                continue;
            }
            OptionalInt rank = number(environment, launcher.rank());
            OptionalInt size = number(environment, launcher.size());
            if (rank.isPresent() && size.isPresent()) {
                if (rank.getAsInt() >= size.getAsInt()) {
                    throw new IllegalArgumentException(launcher.rank().getFirst() + "=" + rank.getAsInt()
                            + " is not below the number of processes, " + size.getAsInt() + "; ranks count from 0");
                }
                return Optional.of(new Launch(launcher, environment, rank.getAsInt(), size.getAsInt()));
            }
        }
        return Optional.empty();
    }

    private static OptionalInt number(Map<String, String> environment, List<String> names) {
        for (String name : names) {
            String value = environment.get(name);
            if (value != null && !value.isBlank()) {
                if (!value.strip().matches("[0-9]{1,9}")) {
                    throw new IllegalArgumentException(
                            "the environment variable " + name + "=" + value + " is not a number");
                }
                return OptionalInt.of(Integer.parseInt(value.strip()));
            }
        }
        return OptionalInt.empty();
    }

    /** The number of this process, from 0. */
    public int rank() {
        return rank;
    }

    /** The number of processes. */
    public int size() {
        return size;
    }

    /** Whether the launcher is one of MPI. */
    boolean usesMpi() {
        return launcher.isMpi();
    }

    /** Whether torchrun started this process. */
    public boolean isTorchrun() {
        return launcher == Launcher.TORCHRUN;
    }

    /** The number of processes on this machine, if the launcher tells. */
    public OptionalInt localSize() {
        OptionalInt told = number(environment, launcher.localSize());
        return told.isPresent() ? told : Slurm.localSize(environment);
    }

    /**
     * Joins the other processes of the job; empty if no launcher has started any.
     *
     * @throws CommunicationException if that fails
     * @throws IllegalArgumentException if a variable that is needed is missing or malformed
     */
    public static Optional<Communicator> join() {
        @Nullable String chosen = System.getProperty(TRANSPORT);
        if (chosen != null && !chosen.equals("mpi") && !chosen.equals("tcp")) {
            throw new IllegalArgumentException("-D" + TRANSPORT + "=" + chosen + " is neither mpi nor tcp");
        }
        Optional<Launch> launch = ofThisProcess();
        boolean mpi = chosen == null ? launch.isPresent() && launch.get().usesMpi() : chosen.equals("mpi");
        if (mpi) {
            return Optional.of(Communicator.of(MpiTransport::new));
        }
        return launch.map(Launch::tcp).map(job -> Communicator.of(() -> new TcpTransport(job)));
    }

    // ---- TCP ----

    /** Where the processes meet. */
    TcpJob tcp() {
        return new TcpJob(
                name(),
                rank,
                size,
                address(),
                ports(),
                Duration.ofSeconds(Integer.getInteger(PATIENCE, DEFAULT_PATIENCE)));
    }

    private String name() {
        return switch (launcher) {
            case TORCHRUN ->
                "torchrun " + environment.get("TORCHELASTIC_RUN_ID") + " start "
                        + environment.getOrDefault("TORCHELASTIC_RESTART_COUNT", "0");
            case SLURM, PMIX -> "slurm " + environment.get("SLURM_JOB_ID") + "." + environment.get("SLURM_STEP_ID");
            default -> "gradus";
        };
    }

    private String address() {
        for (String name : List.of("MASTER_ADDR", "PET_MASTER_ADDR")) {
            @Nullable String value = environment.get(name);
            if (value != null && !value.isBlank()) {
                return value.strip();
            }
        }
        Optional<String> first = Slurm.firstHost(environment);
        if (first.isPresent()) {
            return first.get();
        }
        if (localSize().orElse(-1) == size) {
            return "127.0.0.1";
        }
        throw new IllegalArgumentException(
                "the environment variable MASTER_ADDR is missing: set it to the host of rank 0, for all processes");
    }

    private List<Integer> ports() {
        OptionalInt chosen = number(environment, List.of("MASTER_PORT", "PET_MASTER_PORT"));
        if (launcher == Launcher.TORCHRUN && chosen.isPresent()) {
            // torchrun itself listens at this port.
            return from(chosen.getAsInt() + PORTS < 1 << 16 ? chosen.getAsInt() + 1 : chosen.getAsInt() - PORTS);
        }
        if (chosen.isPresent()) {
            return List.of(chosen.getAsInt());
        }
        OptionalInt job = number(environment, List.of("SLURM_JOB_ID"));
        return job.isPresent() ? from(Slurm.port(job.getAsInt(), PORTS)) : List.of(DEFAULT_PORT);
    }

    private static List<Integer> from(int first) {
        return IntStream.range(first, first + PORTS).boxed().toList();
    }
}
