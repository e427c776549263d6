package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A copy of one of this module's Maven projects, built by a Maven of its own against the jars of this build, as if they had
 * been downloaded. The local repository is a folder in {@code target}, so that nothing is installed for other builds to see.
 */
final class ExternalBuild {
    static final Path ROOT = Path.of(System.getProperty("gradus.root"));
    static final String VERSION = System.getProperty("gradus.version");
    static final Path TARGET = Path.of("target").toAbsolutePath();

    /** The command that runs this build's Maven. */
    static final String MAVEN =
            Path.of(System.getProperty("maven.home"), "bin", "mvn").toString();

    /** The modules that are published, and {@code .} for the parent of their poms. */
    private static final List<String> PUBLISHED =
            List.of(".", "bom", "core", "autograd", "nn", "optim", "parallel", "data", "train");

    private final Path folder;

    private ExternalBuild(Path folder) {
        this.folder = folder;
    }

    /** Copies {@code it/<part>} of each part to {@code it/target/<name>}. */
    static ExternalBuild of(String name, String... parts) throws IOException {
        Path to = TARGET.resolve(name);
        for (String part : parts) {
            Path from = Path.of(part).toAbsolutePath();
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                    copy(file, to.resolve(from.relativize(file).toString()));
                }
            }
        }
        stage();
        return new ExternalBuild(to);
    }

    /**
     * Compiles the project.
     *
     * @return the jars that it needs at run time
     */
    List<Path> compile(String... options) throws IOException, InterruptedException {
        Path classPath = folder.resolve("target/classpath.txt");
        Path local = TARGET.resolve("local-repository");
        List<String> command = new ArrayList<>(List.of(
                MAVEN,
                "-B",
                "-q",
                "-gs",
                settings().toString(),
                "-Dmaven.repo.local=" + local,
                "-Dgradus.version=" + VERSION,
                "-Dmdep.outputFile=" + classPath,
                "compile",
                "dependency:build-classpath"));
        command.addAll(List.of(options));
        Processes.run(folder, command);
        return Stream.of(Files.readString(classPath).split(File.pathSeparator))
                .map(Path::of)
                .toList();
    }

    /** The project's own classes and {@code jars}, as a class path or a module path. */
    String path(List<Path> jars) {
        StringBuilder path = new StringBuilder(folder.resolve("target/classes").toString());
        jars.forEach(jar -> path.append(File.pathSeparator).append(jar));
        return path.toString();
    }

    /** The names of jars without their versions, sorted. */
    static List<String> names(List<Path> jars) {
        return jars.stream()
                .map(jar -> jar.getFileName().toString().replaceAll("-\\d[\\d.]*\\.jar$", ""))
                .sorted()
                .toList();
    }

    /** Lays out the jars and poms of this build as a Maven repository. */
    private static void stage() throws IOException {
        for (String module : PUBLISHED) {
            String artifact = "gradus-" + (module.equals(".") ? "parent" : module);
            Path to = TARGET.resolve("repository/io/gradus").resolve(artifact).resolve(VERSION);
            String file = artifact + "-" + VERSION;
            copy(ROOT.resolve(module).resolve("pom.xml"), to.resolve(file + ".pom"));
            Path jar = ROOT.resolve(module).resolve("target").resolve(file + ".jar");
            if (Files.exists(jar)) {
                copy(jar, to.resolve(file + ".jar"));
            } else {
                assertThat(module).as("a module without a jar; run mvn verify").isIn(".", "bom");
            }
            // A copy that an earlier run cached would hide this one.
            delete(TARGET.resolve("local-repository/io/gradus").resolve(artifact));
        }
    }

    /** Settings with two repositories more: the one that {@link #stage} fills, and what this build has downloaded. */
    private static Path settings() throws IOException {
        String template = """
            <settings>
                <profiles>
                    <profile>
                        <id>staged</id>
                        <repositories>
                            <repository><id>staged</id><url>%1$s</url></repository>
                            <repository><id>downloaded</id><url>%2$s</url></repository>
                        </repositories>
                        <pluginRepositories>
                            <pluginRepository><id>downloaded</id><url>%2$s</url></pluginRepository>
                        </pluginRepositories>
                    </profile>
                </profiles>
                <activeProfiles><activeProfile>staged</activeProfile></activeProfiles>
            </settings>
            """;
        Path settings = TARGET.resolve("settings.xml");
        return Files.writeString(
                settings,
                template.formatted(
                        TARGET.resolve("repository").toUri(),
                        Path.of(System.getProperty("maven.repository")).toUri()));
    }

    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    }

    static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> {
                    try {
                        Files.delete(file);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
            }
        }
    }
}
