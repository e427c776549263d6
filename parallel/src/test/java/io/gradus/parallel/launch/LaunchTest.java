package io.gradus.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.parallel.tcp.TcpJob;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class LaunchTest {

    private static Launch launch(String... variables) {
        Map<String, String> environment = new HashMap<>();
        for (String variable : variables) {
            environment.put(
                    variable.substring(0, variable.indexOf('=')), variable.substring(variable.indexOf('=') + 1));
        }
        return Launch.of(environment).orElseThrow();
    }

    @Test
    void processWithoutALauncherHasNoLaunch() {
        assertThat(Launch.of(Map.of("PATH", "/bin", "RANK", "1"))).isEmpty();
        assertThat(Launch.of(Map.of("SLURM_PROCID", "0", "SLURM_NTASKS", "4", "SLURM_JOB_ID", "7")))
                .as("a batch script")
                .isEmpty();
    }

    @Test
    void variablesOfTorchrunNamePlaceAndPortsBesidesItsOwn() {
        Launch launch = launch(
                "RANK=3",
                "WORLD_SIZE=4",
                "LOCAL_RANK=1",
                "LOCAL_WORLD_SIZE=2",
                "MASTER_ADDR=node1",
                "MASTER_PORT=29400",
                "TORCHELASTIC_RUN_ID=abc",
                "TORCHELASTIC_RESTART_COUNT=1");
        TcpJob job = launch.tcp();
        assertThat(job.name()).isEqualTo("torchrun abc start 1");
        assertThat(job.rank()).isEqualTo(3);
        assertThat(job.size()).isEqualTo(4);
        assertThat(job.address()).isEqualTo("node1");
        assertThat(job.ports()).containsExactly(29401, 29402, 29403, 29404, 29405, 29406, 29407, 29408);
        assertThat(launch.localSize()).isEqualTo(OptionalInt.of(2));
    }

    @Test
    void variablesOfAScriptNameThePort() {
        TcpJob job = launch("RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=10.0.0.1", "MASTER_PORT=5000")
                .tcp();
        assertThat(job.ports()).containsExactly(5000);
        assertThat(launch("RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=10.0.0.1")
                        .tcp()
                        .ports())
                .containsExactly(29500);
    }

    @Test
    void variablesOfSlurmNameTheFirstHostAndAPortOfTheJob() {
        String[] variables = {
            "SLURM_PROCID=5",
            "SLURM_NTASKS=7",
            "SLURM_STEP_NUM_TASKS=6",
            "SLURM_STEP_NODELIST=node[08-11,13],login1",
            "SLURM_JOB_NODELIST=other1",
            "SLURM_STEP_TASKS_PER_NODE=2(x2),1,3",
            "SLURM_NODEID=3",
            "SLURM_JOB_ID=1234567",
            "SLURM_STEP_ID=2"
        };
        Launch launch = launch(variables);
        assertThat(launch.tcp().address()).isEqualTo("node08");
        assertThat(launch.tcp().name()).isEqualTo("slurm 1234567.2");
        assertThat(launch.tcp().ports()).hasSize(8).startsWith(15_000 + 567 * 8);
        assertThat(launch.rank()).isEqualTo(5);
        assertThat(launch.size()).isEqualTo(6);
        assertThat(launch.localSize()).isEqualTo(OptionalInt.of(3));
    }

    @Test
    void firstHostOfSlurmsListsIsFound() {
        Map<String, String> hosts = Map.of(
                "a", "a",
                "a1,a2", "a1",
                "n[1-3]", "n1",
                "n[007,9]", "n007",
                "rack[2-3]-n[1-4].site,x", "rack2-n1.site");
        hosts.forEach((list, first) ->
                assertThat(Slurm.firstHost(Map.of("SLURM_JOB_NODELIST", list))).contains(first));
        assertThatThrownBy(() -> Slurm.firstHost(Map.of("SLURM_JOB_NODELIST", "n[1-3")))
                .hasMessageContaining("has no ]");
    }

    @Test
    void launchersOfMpiComeBeforeSlurmAndTorchrunBeforeAll() {
        List<String> slurm =
                List.of("SLURM_PROCID=0", "SLURM_STEP_NUM_TASKS=2", "SLURM_STEP_NODELIST=a", "SLURM_STEP_ID=1");
        assertThat(isMpi(slurm)).isFalse();
        assertThat(isMpi(slurm, "OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=2"))
                .isTrue();
        assertThat(isMpi(slurm, "PMI_RANK=0", "PMI_SIZE=2")).isTrue();
        assertThat(isMpi(slurm, "PMIX_NAMESPACE=x", "PMIX_RANK=0")).isTrue();
        assertThat(isMpi(slurm, "PMI_RANK=0", "PMI_SIZE=1", "TORCHELASTIC_RUN_ID=x", "RANK=0", "WORLD_SIZE=2"))
                .isFalse();
    }

    private static boolean isMpi(List<String> variables, String... more) {
        List<String> all = new ArrayList<>(variables);
        all.addAll(List.of(more));
        return launch(all.toArray(String[]::new)).usesMpi();
    }

    @Test
    void variablesThatMakeNoSenseAreRejected() {
        assertThatThrownBy(() -> launch("MASTER_ADDR=a", "RANK=one", "WORLD_SIZE=2"))
                .hasMessage("the environment variable RANK=one is not a number");
        assertThatThrownBy(() -> launch("MASTER_ADDR=a", "RANK=2", "WORLD_SIZE=2"))
                .hasMessage("RANK=2 is not below the number of processes, 2; ranks count from 0");
        assertThatThrownBy(() -> launch("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=2")
                        .tcp())
                .hasMessageContaining("MASTER_ADDR is missing");
    }

    @Test
    void processesOfOneMachineMeetAtItsLoopbackAddress() {
        assertThat(launch("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_LOCAL_SIZE=2")
                        .tcp()
                        .address())
                .isEqualTo("127.0.0.1");
    }

    @Test
    void nodesOfKubeflowAreProcesses() {
        TcpJob job = launch(
                        "PET_NODE_RANK=1",
                        "PET_NNODES=2",
                        "PET_NPROC_PER_NODE=1",
                        "PET_MASTER_ADDR=job-node-0-0.job",
                        "PET_MASTER_PORT=29400")
                .tcp();
        assertThat(job.address()).isEqualTo("job-node-0-0.job");
        assertThat(job.ports()).containsExactly(29400);
    }
}
