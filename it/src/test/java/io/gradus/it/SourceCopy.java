package io.gradus.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A fresh copy of the sources, in which the launcher builds on first use. */
final class SourceCopy {
    static final Path FOLDER = ExternalBuild.TARGET.resolve("documented");

    private static boolean copied;

    private SourceCopy() {}

    /** Copies the sources, unless another test of this JVM has done so. */
    static synchronized void require() throws IOException, InterruptedException {
        if (copied) {
            return;
        }
        ExternalBuild.delete(FOLDER);
        String files = Processes.run(
                ExternalBuild.ROOT, List.of("git", "ls-files", "--cached", "--others", "--exclude-standard"));
        for (String file : files.lines().toList()) {
            Path from = ExternalBuild.ROOT.resolve(file);
            if (Files.isRegularFile(from)) {
                ExternalBuild.copy(from, FOLDER.resolve(file));
                FOLDER.resolve(file).toFile().setExecutable(Files.isExecutable(from));
            }
        }
        copied = true;
    }

    /**
     * Runs a script in the copy.
     *
     * @param locale the variables of the locale that are set, such as {@code LC_ALL=C}; may be empty
     * @return what it printed
     */
    static String sh(String locale, String script) throws IOException, InterruptedException {
        Path file = Files.writeString(FOLDER.resolve("command.sh"), """
                set -e
                unset LANG LANGUAGE LC_ALL LC_CTYPE
                { export X= %s; } 2>/dev/null
                export PATH='%s':"$PATH"
                export MAVEN_ARGS='-Dmaven.repo.local=%s'
                %s
                """.formatted(
                locale, Path.of(ExternalBuild.MAVEN).getParent(), System.getProperty("maven.repository"), script));
        return Processes.run(FOLDER, List.of("bash", file.toString()));
    }
}
