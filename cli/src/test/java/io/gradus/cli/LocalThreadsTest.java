package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LocalThreadsTest {

    @Test
    void processesOfOneMachineShareItsProcessors() {
        assertThat(LocalThreads.count(Map.of("OMPI_COMM_WORLD_LOCAL_SIZE", "4"), 16, false))
                .isEqualTo(4);
        assertThat(LocalThreads.count(Map.of("MPI_LOCALNRANKS", "3"), 16, false))
                .isEqualTo(5);
        assertThat(LocalThreads.count(Map.of("LOCAL_WORLD_SIZE", "4"), 2, false))
                .isEqualTo(1);
        assertThat(LocalThreads.count(Map.of(), 16, false)).isEqualTo(16);
    }

    @Test
    void processBoundToProcessorsUsesThem() {
        assertThat(LocalThreads.count(Map.of("OMPI_COMM_WORLD_LOCAL_SIZE", "4"), 2, true))
                .isEqualTo(2);
    }

    @Test
    void chosenNumberOfThreadsIsUsed() {
        assertThat(LocalThreads.count(Map.of("SLURM_CPUS_PER_TASK", "8", "MPI_LOCALNRANKS", "2"), 64, false))
                .isEqualTo(8);
        assertThat(LocalThreads.count(Map.of("OMP_NUM_THREADS", "2,1"), 16, false))
                .isEqualTo(16);
    }
}
