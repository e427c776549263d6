package io.gradus.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.Device;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernels a JVM selects, and what it logs. */
final class KernelChoiceTest {

    /** The output and log of a new JVM with the given flags. */
    private static String say(List<String> flags) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(System.getProperty("java.home") + "/bin/java", "-cp", System.getProperty("java.class.path")));
        command.addAll(flags);
        command.add(Say.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return said;
    }

    /** The program that the JVM runs. */
    static final class Say {
        private Say() {}

        public static void main(String[] arguments) {
            System.out.println(Device.cpu(2).backend().description());
            System.out.println(Device.cpu(1).backend().description());
        }
    }

    @Test
    void withoutVectorModuleScalarKernelsRunAndLogTheFlagOnce() throws Exception {
        String said = say(List.of());
        assertThat(said).contains("2 threads, scalar kernels").containsOnlyOnce("--add-modules jdk.incubator.vector");
    }

    @ParameterizedTest
    @CsvSource({"128, vectors of 128 bits", "off, scalar kernels"})
    void vectorsPropertyOverridesTheDefault(String property, String expected) throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-Dgradus.vectors=" + property));
        assertThat(said).contains(expected).doesNotContain("slower");
    }

    @Test
    void withoutC2ScalarKernelsRun() throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-XX:TieredStopAtLevel=1"));
        assertThat(said).contains("scalar kernels").containsOnlyOnce("-XX:TieredStopAtLevel=1");
    }

    @Test
    void withoutNativeAccessDescriptionNamesTheFlag() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "machine code is written for Linux only");
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "machine code is written for amd64 only");
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "--illegal-native-access=deny"));
        assertThat(said).contains("BF16 without machine code (java runs without --enable-native-access=ALL-UNNAMED)");
    }

    @Test
    void machineCodeCanBeTurnedOff() throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-Dgradus.machinecode=off"));
        assertThat(said).contains("BF16 without machine code (-Dgradus.machinecode=off)");
    }

    @Test
    void invalidAmxPropertyIsRejected() throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-Dgradus.amx=no"));
        assertThat(said).contains("-Dgradus.amx=no is neither on nor off");
    }

    @Test
    void invalidMachineCodePropertyIsRejected() throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-Dgradus.machinecode=maybe"));
        assertThat(said).contains("-Dgradus.machinecode=maybe is neither on nor off");
    }

    @Test
    void invalidVectorsPropertyIsRejected() throws Exception {
        String said = say(List.of("--add-modules", "jdk.incubator.vector", "-Dgradus.vectors=1024"));
        assertThat(said).contains("-Dgradus.vectors=1024 is none of off, 128, 256 and 512 (bits)");
    }
}
