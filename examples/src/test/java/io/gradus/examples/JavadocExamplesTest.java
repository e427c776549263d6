package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The examples in the Javadoc of the library modules compile. An example is a <code>&#123;@snippet : … &#125;</code> of
 * statements; public classes of the library, {@code java.util} and {@code java.nio.file} are imported.
 */
class JavadocExamplesTest {
    private static final List<String> MODULES = List.of("core", "autograd", "nn", "optim", "data", "train");

    /** The most used classes, which must have an example. */
    private static final List<String> REQUIRED = List.of(
            "Tensor",
            "Scope",
            "Variable",
            "Operation",
            "GradientCheck",
            "Checkpoint",
            "Module",
            "Linear",
            "Optimizer",
            "AdamW",
            "Tokenizer",
            "Batches",
            "FineTuning",
            "Recipe");

    /** Packages that users do not import: operations are called through Variable, kernels through it. */
    private static final Pattern INTERNAL =
            Pattern.compile("io\\.gradus\\.(autograd\\.op|core\\.(kernel|cpu|meta|reference).*)");

    private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");

    @TempDir
    private Path folder;

    @Test
    void mostUsedClassesHaveAnExample() throws IOException {
        assertThat(examples().keySet().stream().map(name -> name.substring(name.lastIndexOf('.') + 1)))
                .containsAll(REQUIRED);
    }

    @TestFactory
    List<DynamicTest> exampleCompiles() throws IOException {
        String imports = imports();
        return examples().entrySet().stream()
                .map(example ->
                        dynamicTest(example.getKey(), () -> compile(example.getKey(), imports, example.getValue())))
                .toList();
    }

    private void compile(String documented, String imports, List<String> snippets) throws Exception {
        String name = documented.substring(documented.lastIndexOf('.') + 1) + "Example";
        StringBuilder source = new StringBuilder(imports);
        source.append("import ").append(documented).append(";\n");
        source.append("@SuppressWarnings(\"unused\")\nclass ").append(name).append(" {\n");
        for (int i = 0; i < snippets.size(); i++) {
            source.append("void example%d() throws Exception {\n%s\n}\n".formatted(i, snippets.get(i)));
        }
        Snippets.compile(folder, name, source.append("}\n").toString());
    }

    /** The snippets of each class, by its full name. */
    private static Map<String, List<String>> examples() throws IOException {
        Map<String, List<String>> examples = new TreeMap<>();
        for (Path file : sources()) {
            String source = Files.readString(file);
            List<String> snippets = snippets(source);
            if (!snippets.isEmpty()) {
                String simpleName = file.getFileName().toString().replace(".java", "");
                examples.put(packageOf(source) + "." + simpleName, snippets);
            }
        }
        return examples;
    }

    /** The code between {@code @snippet :} and the closing brace, without the asterisks of the comment. */
    private static List<String> snippets(String source) {
        List<String> snippets = new ArrayList<>();
        int at = source.indexOf("{@snippet");
        while (at >= 0) {
            int start = source.indexOf('\n', at);
            int end = closingBrace(source, at);
            snippets.add(source.substring(start, end).replaceAll("(?m)^\\s*\\* ?", ""));
            at = source.indexOf("{@snippet", end);
        }
        return snippets;
    }

    private static int closingBrace(String source, int open) {
        int depth = 0;
        for (int i = open; i < source.length(); i++) {
            char c = source.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        throw new AssertionError("a snippet has no closing brace: " + source.substring(open));
    }

    /** Imports of every package of the library. */
    private static String imports() throws IOException {
        TreeSet<String> packages = new TreeSet<>(List.of("java.util", "java.nio.file"));
        for (Path file : sources()) {
            packages.add(packageOf(Files.readString(file)));
        }
        return packages.stream()
                .filter(name -> !INTERNAL.matcher(name).matches())
                .map(name -> "import " + name + ".*;\n")
                .collect(Collectors.joining());
    }

    private static String packageOf(String source) {
        Matcher matcher = PACKAGE.matcher(source);
        return matcher.find() ? matcher.group(1) : "";
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String module : MODULES) {
            Path root = Snippets.root().resolve(module).resolve("src/main/java");
            if (Files.isDirectory(root)) {
                try (Stream<Path> files = Files.walk(root)) {
                    files.filter(file -> file.toString().endsWith(".java")
                                    && !file.endsWith("package-info.java")
                                    && !file.endsWith("module-info.java"))
                            .sorted()
                            .forEach(sources::add);
                }
            }
        }
        return sources;
    }
}
