package io.gradus.corpora;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarFile;

/**
 * The Java files of one {@code -sources} jar on the class path, sorted by path so that the same jar always gives the same
 * text.
 *
 * @param artifact the Maven coordinates of the jar, for errors and reports
 * @param files every Java file of the jar, in ascending order of path
 */
public record JavaSources(String artifact, List<File> files) {

    /** One Java file: its path inside the jar, such as {@code org/example/Thing.java}, and its text. */
    public record File(String path, String text) {}

    public JavaSources {
        files = List.copyOf(files);
    }

    /**
     * Reads every Java file of the jar that contains {@code knownFile}.
     *
     * @param artifact Maven coordinates, {@code group:artifact:jar:sources:version}
     * @param knownFile the path of a Java file that only this jar contains
     * @throws IllegalStateException if no jar on the class path contains {@code knownFile}
     * @throws UncheckedIOException if the jar cannot be read
     */
    public static JavaSources onClassPath(String artifact, String knownFile) {
        URL url = JavaSources.class.getClassLoader().getResource(knownFile);
        if (url == null) {
            throw new IllegalStateException(
                    "corpus: " + knownFile + " is not on the class path; add the Maven artifact " + artifact);
        }
        try {
            if (!(url.openConnection() instanceof JarURLConnection connection)) {
                throw new IllegalStateException("corpus: " + url + " is not inside a jar; put the unmodified sources"
                        + " jar of " + artifact + " on the class path");
            }
            // Bypass the shared cache, so that closing this jar does not close the one that the class loader uses.
            connection.setUseCaches(false);
            try (JarFile jar = connection.getJarFile()) {
                return new JavaSources(artifact, read(jar));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("corpus: cannot read " + artifact + " at " + url + ": " + e.getMessage(), e);
        }
    }

    private static List<File> read(JarFile jar) throws IOException {
        var names = jar.stream()
                .map(entry -> entry.getName())
                .filter(name -> name.endsWith(".java") && !name.startsWith("META-INF/"))
                .sorted(Comparator.naturalOrder())
                .toList();
        var files = new ArrayList<File>(names.size());
        for (String name : names) {
            try (var in = jar.getInputStream(jar.getEntry(name))) {
                files.add(new File(name, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
            }
        }
        return files;
    }
}
