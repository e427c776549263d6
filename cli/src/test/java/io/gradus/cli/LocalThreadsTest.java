package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LocalThreadsTest {

    @Test
    void processesOfOneMachineShareItsProcessors() {
        assertThat(LocalThreads.count(openMpi(4), 16, false)).isEqualTo(4);
        assertThat(LocalThreads.count(Map.of("PMI_RANK", "0", "PMI_SIZE", "6", "MPI_LOCALNRANKS", "3"), 16, false))
                .isEqualTo(5);
        assertThat(LocalThreads.count(torchrun(4), 2, false)).isEqualTo(1);
        assertThat(LocalThreads.count(
                        Map.of(
                                "SLURM_PROCID", "1",
                                "SLURM_NTASKS", "2",
                                "SLURM_STEP_NODELIST", "a",
                                "SLURM_STEP_TASKS_PER_NODE", "2"),
                        16,
                        false))
                .isEqualTo(8);
        assertThat(LocalThreads.count(Map.of(), 16, false)).isEqualTo(16);
    }

    private static Map<String, String> openMpi(int local) {
        return Map.of(
                "OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "8", "OMPI_COMM_WORLD_LOCAL_SIZE", "" + local);
    }

    private static Map<String, String> torchrun(int local) {
        return new HashMap<>(
                Map.of("TORCHELASTIC_RUN_ID", "x", "RANK", "0", "WORLD_SIZE", "8", "LOCAL_WORLD_SIZE", "" + local));
    }

    @Test
    void usualOneThreadOfTorchrunIsIgnored() {
        Map<String, String> environment = torchrun(2);
        environment.put("OMP_NUM_THREADS", "1");
        assertThat(LocalThreads.count(environment, 16, false)).isEqualTo(8);
        environment.put("OMP_NUM_THREADS", "3");
        assertThat(LocalThreads.count(environment, 16, false)).isEqualTo(3);
    }

    @Test
    void processBoundToProcessorsUsesThem() {
        assertThat(LocalThreads.count(openMpi(4), 2, true)).isEqualTo(2);
    }

    @Test
    void chosenNumberOfThreadsIsUsed() {
        assertThat(LocalThreads.count(Map.of("SLURM_CPUS_PER_TASK", "8", "MPI_LOCALNRANKS", "2"), 64, false))
                .isEqualTo(8);
        assertThat(LocalThreads.count(Map.of("OMP_NUM_THREADS", "2,1"), 16, false))
                .isEqualTo(16);
    }
}
