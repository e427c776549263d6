package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.cli.Main;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Links, paths, and names in the Markdown files are those of existing things. */
class DocumentationTest {
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern RECIPE_KEY = Pattern.compile("[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*");
    private static final Pattern MEMBER = Pattern.compile("(?:new )?([A-Z]\\w*)(?:\\.(\\w+))?(?:\\(.*\\))?");

    static List<Path> documents() throws IOException {
        List<Path> documents = new ArrayList<>();
        for (String folder : List.of("", "docs", "bench")) {
            try (Stream<Path> files = Files.list(Snippets.root().resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
            }
        }
        return documents;
    }

    @ParameterizedTest
    @MethodSource("documents")
    void relativeLinksLeadToExistingFiles(Path document) throws IOException {
        List<String> links = LINK.matcher(Files.readString(document))
                .results()
                .map(found -> found.group(1))
                .filter(link -> !link.contains("://"))
                .toList();

        Path folder = document.toAbsolutePath().getParent();
        assertThat(links.stream().filter(link -> !Files.exists(folder.resolve(link))))
                .as("broken links in %s", document)
                .isEmpty();
    }

    @Test
    void everyGradusNameForPyTorchUsersExists() throws IOException {
        List<Class<?>> classes = publicClasses();
        String keys = Files.readString(
                Snippets.root().resolve("train/src/main/resources/io/gradus/train/recipe/recipe.yaml"));
        List<String> rows = Files.readAllLines(Snippets.root().resolve("docs/for-pytorch-users.md")).stream()
                .filter(line -> line.startsWith("| ") && !line.contains("| Gradus") && line.contains("`"))
                .toList();
        assertThat(rows).hasSizeGreaterThan(80);

        List<String> missing = new ArrayList<>();
        for (String row : rows) {
            String[] cells = row.split("(?<!\\\\)\\|");
            List<String> names = CODE.matcher(cells[2])
                    .results()
                    .map(found -> found.group(1))
                    .filter(name -> !name.startsWith("["))
                    .toList();
            assertThat(names).as(row).isNotEmpty();
            names.stream()
                    .filter(name -> !exists(name, classes, keys))
                    .map(name -> name + " in: " + row)
                    .forEach(missing::add);
        }
        assertThat(missing).isEmpty();
    }

    private static boolean exists(String name, List<Class<?>> classes, String keys) {
        Matcher member = MEMBER.matcher(name);
        if (!member.matches()) {
            return RECIPE_KEY.matcher(name).matches() && isKey(name, keys);
        }
        return classes.stream()
                .filter(type -> type.getSimpleName().equals(member.group(1)))
                .anyMatch(type -> member.group(2) == null || hasMember(type, member.group(2)));
    }

    /** Whether recipe.yaml, which has every key, has this one on any level. */
    private static boolean isKey(String name, String keys) {
        return Pattern.compile("(?m)^ *" + name + ":").matcher(keys).find();
    }

    private static boolean hasMember(Class<?> type, String name) {
        Stream<Member> inherited = Stream.of(Stream.of(type.getMethods()), Stream.of(type.getFields()))
                .flatMap(members -> members);
        Stream<Member> declared = Stream.of(type.getDeclaredMethods());
        return Stream.concat(inherited, declared)
                .anyMatch(member -> member.getName().equals(name) && !Modifier.isPrivate(member.getModifiers()));
    }

    /** The public classes of the modules that examples depend on. The class path has their folders or their jars. */
    private static List<Class<?>> publicClasses() throws IOException {
        List<Class<?>> classes = new ArrayList<>();
        for (String module :
                List.of("core", "autograd", "nn", "optim", "data", "corpora", "train", "cli", "examples")) {
            Path root = Snippets.root().resolve(module).resolve("target/classes");
            try (Stream<Path> files = Files.walk(root.resolve("io/gradus"))) {
                for (Path file : files.filter(path -> path.toString().endsWith(".class"))
                        .filter(path -> !path.getFileName().toString().equals("package-info.class"))
                        .toList()) {
                    String name = root.relativize(file).toString().replace(File.separatorChar, '.');
                    Class<?> type = load(name.substring(0, name.length() - ".class".length()));
                    if (Modifier.isPublic(type.getModifiers())) {
                        classes.add(type);
                    }
                }
            }
        }
        return classes;
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, DocumentationTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(name, e);
        }
    }

    @Test
    void everyRecipeKeyOnCommandLinesExists() throws IOException {
        String keys = Files.readString(
                Snippets.root().resolve("train/src/main/resources/io/gradus/train/recipe/recipe.yaml"));
        Pattern argument = Pattern.compile("(?<=\\s|')([a-z][a-z0-9_.]*)=");
        for (Path document : documents()) {
            List<String> commands = commands(Files.readString(document));
            assertThat(commands.stream()
                            .flatMap(command -> argument.matcher(command).results())
                            .map((MatchResult found) -> found.group(1))
                            .collect(Collectors.toSet()))
                    .as("keys in %s", document)
                    .allMatch(key -> isKey(key.substring(key.lastIndexOf('.') + 1), keys));
        }
    }

    @Test
    void everyCommandAndOptionExists() throws IOException {
        CommandLine gradus = new CommandLine(new Main());
        List<String> unknown = new ArrayList<>();
        int known = 0;
        for (Path document : documents()) {
            for (String command : commands(Files.readString(document))) {
                CommandLine called = gradus;
                String[] words = command.substring(command.indexOf("./gradus ") + "./gradus ".length())
                        .split("[\\s`]+");
                if (List.of("bench", "example", "jshell").contains(words[0])) { // other programs
                    continue;
                }
                for (String word : words) {
                    called = called.getSubcommands().getOrDefault(word, called);
                    if (word.startsWith("-")
                            && !called.getCommandSpec().optionsMap().containsKey(word)) {
                        unknown.add(word + " of " + command);
                    }
                }
                if (called == gradus) {
                    unknown.add(command);
                }
                known++;
            }
        }
        assertThat(unknown).isEmpty();
        assertThat(known).isGreaterThan(20);
    }

    /** The calls of {@code ./gradus} in a document, each joined to one line. */
    private static List<String> commands(String markdown) {
        return markdown.replace("\\\n", " ")
                .lines()
                .map(line -> line.replaceFirst(" # .*", ""))
                .filter(line -> line.contains("./gradus "))
                .toList();
    }
}
