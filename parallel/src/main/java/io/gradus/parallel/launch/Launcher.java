package io.gradus.parallel.launch;

import java.util.List;

/** Programs that start the processes of a job, with the environment variables by which they tell each one its place. */
enum Launcher {
    /** PyTorch's torchrun. It comes first, because MPI or Slurm may start one torchrun per machine. */
    TORCHRUN(false, "TORCHELASTIC_RUN_ID", List.of("RANK"), List.of("WORLD_SIZE"), List.of("LOCAL_WORLD_SIZE")),
    /** Open MPI's mpirun. */
    OPEN_MPI(
            true,
            "OMPI_COMM_WORLD_SIZE",
            List.of("OMPI_COMM_WORLD_RANK"),
            List.of("OMPI_COMM_WORLD_SIZE"),
            List.of("OMPI_COMM_WORLD_LOCAL_SIZE")),
    /** The mpirun of MPICH and its relatives, and {@code srun --mpi=pmi2}. */
    PMI(true, "PMI_RANK", List.of("PMI_RANK"), List.of("PMI_SIZE"), List.of("MPI_LOCALNRANKS")),
    /** {@code srun --mpi=pmix}. */
    PMIX(true, "PMIX_NAMESPACE", List.of("PMIX_RANK"), List.of("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"), List.of()),
    /** Whoever sets PyTorch's variables: a script, or the training operator of Kubeflow. */
    VARIABLES(false, "MASTER_ADDR", List.of("RANK"), List.of("WORLD_SIZE"), List.of("LOCAL_WORLD_SIZE")),
    /** Kubeflow's Trainer: these variables configure torchrun. Without torchrun, each node is one process. */
    KUBEFLOW(false, "PET_MASTER_ADDR", List.of("PET_NODE_RANK"), List.of("PET_NNODES"), List.of()),
    /** Slurm's srun without MPI. A batch script has some of its variables too, but is no step. */
    SLURM(
            false,
            "SLURM_STEP_NODELIST",
            List.of("SLURM_PROCID"),
            List.of("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"),
            List.of());

    private final boolean mpi;
    private final String mark;
    private final List<String> rank;
    private final List<String> size;
    private final List<String> localSize;

    Launcher(boolean mpi, String mark, List<String> rank, List<String> size, List<String> localSize) {
        this.mpi = mpi;
        this.mark = mark;
        this.rank = rank;
        this.size = size;
        this.localSize = localSize;
    }

    /** Whether the processes can use MPI. */
    boolean isMpi() {
        return mpi;
    }

    /** The variable that only this launcher sets. */
    String mark() {
        return mark;
    }

    /** The variables with the rank of the process. */
    List<String> rank() {
        return rank;
    }

    /** The variables with the number of processes; the first one counts. */
    List<String> size() {
        return size;
    }

    /** The variables with the number of processes on this machine. */
    List<String> localSize() {
        return localSize;
    }
}
