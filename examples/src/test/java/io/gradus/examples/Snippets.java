package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/** The Java blocks of a Markdown document, compiled. */
final class Snippets {
    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    private Snippets() {}

    /** The repository's root; tests run in their module's folder. */
    static Path root() {
        return Path.of("..");
    }

    /** The contents of the blocks marked {@code java}, in order. */
    static List<String> javaBlocks(String markdown) {
        return JAVA_BLOCK
                .matcher(markdown)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    /**
     * Compiles a class on the class path of this test and loads it.
     *
     * @param folder for the source and the class files
     */
    static Class<?> compile(Path folder, String className, String source) throws IOException, ClassNotFoundException {
        Path file = Files.writeString(folder.resolve(className + ".java"), source);
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        int status = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        errors,
                        "-nowarn",
                        "-classpath",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder.toString(),
                        file.toString());
        assertThat(status).as(() -> errors.toString(StandardCharsets.UTF_8)).isZero();
        return new URLClassLoader(new URL[] {folder.toUri().toURL()}).loadClass(className);
    }
}
