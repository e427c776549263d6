package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The same sources give the same jars, whatever the folder and the time, if Maven runs on the same JDK. */
class ReproducibleBuildIT {
    private static final List<String> REBUILT = List.of("core", "optim", "autograd");

    @Test
    void buildInAnotherFolderGivesTheSameBytes() throws Exception {
        Path copy = ExternalBuild.TARGET.resolve("rebuilt");
        ExternalBuild.delete(copy);
        try (Stream<Path> children = Files.list(ExternalBuild.ROOT)) {
            for (Path pom : (Iterable<Path>) children.map(child -> child.resolve("pom.xml"))::iterator) {
                if (Files.exists(pom)) {
                    ExternalBuild.copy(pom, copy.resolve(ExternalBuild.ROOT.relativize(pom)));
                }
            }
        }
        ExternalBuild.copy(ExternalBuild.ROOT.resolve("pom.xml"), copy.resolve("pom.xml"));
        for (String module : REBUILT) {
            Path sources = ExternalBuild.ROOT.resolve(module).resolve("src/main");
            try (Stream<Path> files = Files.walk(sources)) {
                for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                    ExternalBuild.copy(file, copy.resolve(ExternalBuild.ROOT.relativize(file)));
                }
            }
        }

        Processes.run(
                copy,
                Path.of(System.getProperty("maven.java.home")),
                List.of(
                        ExternalBuild.MAVEN,
                        "-B",
                        "-q",
                        "-Dmaven.repo.local=" + System.getProperty("maven.repository"),
                        "-DskipStaticChecks",
                        "-Dmaven.test.skip",
                        "-Dspotless.check.skip",
                        "--projects",
                        String.join(",", REBUILT),
                        "package"));

        for (String module : REBUILT) {
            String jar = module + "/target/gradus-" + module + "-" + ExternalBuild.VERSION + ".jar";
            assertThat(Files.mismatch(ExternalBuild.ROOT.resolve(jar), copy.resolve(jar)))
                    .as("the first byte in which two builds of gradus-%s differ", module)
                    .isEqualTo(-1);
        }
    }
}
