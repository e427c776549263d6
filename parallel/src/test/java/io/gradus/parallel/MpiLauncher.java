package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An {@code mpirun} that is installed. The system property {@code gradus.mpiexec} adds launchers, separated by colons, such as the
 * {@code mpiexec} of an MPICH from PyPI.
 *
 * @param file the program
 * @param name of the library and its version, such as {@code Open MPI 4.1.4}
 */
public record MpiLauncher(Path file, String name) {
    private static final long VERSION_SECONDS = 30;

    /** The libraries to test with: a name, what the names of its versions begin with, and where it is from. */
    private static final List<List<String>> WANTED = List.of(
            List.of("Open MPI", "Open MPI ", "Debian's package openmpi-bin"),
            List.of("MPICH 4", "MPICH 4.", "Debian's package mpich"),
            List.of(
                    "MPICH 5",
                    "MPICH 5.",
                    "the package mpich of PyPI, whose mpiexec the property gradus.mpiexec names"));

    /** All launchers that are installed, each library once. */
    public static List<MpiLauncher> installed() {
        Stream<Path> named = Stream.of(System.getProperty("gradus.mpiexec", "").split(File.pathSeparator))
                .filter(name -> !name.isEmpty())
                .map(Path::of);
        Stream<Path> found = Stream.of("mpirun.openmpi", "mpirun.mpich", "mpirun", "mpiexec")
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name)));
        Map<String, MpiLauncher> launchers = new LinkedHashMap<>(); // by library: mpirun is often a link to another one
        Stream.concat(found, named).filter(Files::isExecutable).forEach(file -> {
            String name = name(file);
            launchers.putIfAbsent(name, new MpiLauncher(file, name));
        });
        return List.copyOf(launchers.values());
    }

    /** One line for each library that is not installed, and so is not tested. */
    public static List<String> missing() {
        List<MpiLauncher> installed = installed();
        return WANTED.stream()
                .filter(wanted -> installed.stream().noneMatch(launcher -> launcher.name.startsWith(wanted.get(1))))
                .map(wanted -> wanted.get(0) + " is not tested, because it is not installed (" + wanted.get(2) + ")")
                .toList();
    }

    private static String name(Path file) {
        String said = firstLines(file);
        Matcher openMpi =
                Pattern.compile("\\((?:OpenRTE|Open MPI|PRRTE)\\) (\\S+)").matcher(said);
        if (openMpi.find()) {
            return "Open MPI " + openMpi.group(1);
        }
        Matcher mpich = Pattern.compile("HYDRA[\\s\\S]*?Version:\\s+(\\S+)").matcher(said);
        return mpich.find() ? "MPICH " + mpich.group(1) : file.toString();
    }

    private static String firstLines(Path file) {
        try {
            Process process = new ProcessBuilder(file.toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(VERSION_SECONDS, TimeUnit.SECONDS)).isTrue();
            return said;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The command that starts a job, which ends where the command of its processes begins. */
    public List<String> command(int processes) {
        List<String> command = new ArrayList<>(List.of("env"));
        // Open MPI refuses to run as root, and more processes than cores, unless told otherwise.
        command.add("OMPI_ALLOW_RUN_AS_ROOT=1");
        command.add("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1");
        command.add("OMPI_MCA_rmaps_base_oversubscribe=1");
        // The library of a package that is not installed for the whole system lies next to its launcher.
        Path libraries = file.toAbsolutePath().resolveSibling("../lib").normalize();
        if (Files.exists(libraries.resolve("libmpi_abi.so.1"))) {
            command.add("LD_LIBRARY_PATH=" + libraries);
        }
        command.addAll(List.of(file.toString(), "-n", Integer.toString(processes)));
        return command;
    }

    @Override
    public String toString() {
        return name;
    }
}
