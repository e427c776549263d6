package io.gradus.corpora;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.EndElementTree;
import com.sun.source.doctree.EntityTree;
import com.sun.source.doctree.ErroneousTree;
import com.sun.source.doctree.EscapeTree;
import com.sun.source.doctree.IndexTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.RawTextTree;
import com.sun.source.doctree.ReferenceTree;
import com.sun.source.doctree.SnippetTree;
import com.sun.source.doctree.StartElementTree;
import com.sun.source.doctree.SystemPropertyTree;
import com.sun.source.doctree.TextTree;
import com.sun.source.doctree.ValueTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.PackageTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTreeScanner;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * Extracts the prose of Javadoc comments: the descriptions of classes, methods and fields, without the code around them.
 *
 * <p>The compiler of the running JDK parses the files, so no regular expression has to guess where a comment or a tag ends.
 * The main description of each comment is kept in whole paragraphs. Block tags ({@code @param}, {@code @return}) are dropped
 * because they contain fragments, and code blocks and tables because they contain no prose. Markup is removed, links and
 * entities become the text that a reader of the page sees, and typographic characters become ASCII.
 */
final class JavadocProse {

    /** The number of files per parser task, small enough to limit the memory of the syntax trees. */
    private static final int FILES_PER_TASK = 100;

    /** Elements that end a paragraph; the text after them starts a new one. */
    private static final Set<String> BLOCKS = Set.of(
            "p", "li", "ul", "ol", "dl", "dt", "dd", "div", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr");

    /** Elements whose content is not prose. */
    private static final Set<String> NO_PROSE = Set.of("pre", "table", "script", "style", "svg");

    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");

    /** A paragraph shorter than this is a label ("The default value.") more often than prose. */
    private static final int FEWEST_CHARACTERS = 50;

    /** Matches text that starts and ends like a sentence. */
    private static final Pattern SENTENCE = Pattern.compile("[A-Z\"(].*[.!?][\")]?");

    /** Matches unresolved markup, URLs, license notices and notes to developers. */
    private static final Pattern NOT_FOR_READERS = Pattern.compile(
            "\\{@|</|<p>|&[a-z]+;|https?:|copyright|licensed under|\\bTODO\\b", Pattern.CASE_INSENSITIVE);

    private JavadocProse() {}

    /**
     * Returns the paragraphs of each file in source order: one list per file, empty for a file without prose.
     *
     * @throws IllegalStateException if Java runs without its compiler (a JRE)
     */
    static List<List<String>> paragraphs(List<JavaSources.File> files) {
        var compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IllegalStateException(
                    "corpus: reading Javadoc needs the Java compiler; run with a JDK, not a JRE");
        }
        var result = new ArrayList<List<String>>(files.size());
        for (int from = 0; from < files.size(); from += FILES_PER_TASK) {
            var batch = files.subList(from, Math.min(files.size(), from + FILES_PER_TASK));
            // Parse without compiling, because errors in an old file do not affect its comments.
            var task = (JavacTask) compiler.getTask(
                    null,
                    null,
                    ignored -> {},
                    List.of("-proc:none"),
                    null,
                    batch.stream().map(InMemory::new).toList());
            try {
                var trees = DocTrees.instance(task);
                for (CompilationUnitTree unit : task.parse()) {
                    var comments = new Comments(trees);
                    comments.scan(unit, null);
                    result.add(comments.paragraphs);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("corpus: cannot parse the sources: " + e.getMessage(), e);
            }
        }
        return result;
    }

    /** Returns whether the text consists of whole sentences in plain ASCII. */
    private static boolean isProse(String paragraph) {
        return SENTENCE.matcher(paragraph).matches()
                && paragraph.length() >= FEWEST_CHARACTERS
                && paragraph.chars().allMatch(c -> c >= ' ' && c <= '~')
                && !NOT_FOR_READERS.matcher(paragraph).find();
    }

    /** Returns the closest ASCII text. Maps quotes and dashes explicitly and removes accents by decomposition. */
    private static String ascii(String text) {
        String plain = text.replace('\u2018', '\'')
                .replace('\u2019', '\'')
                .replace('\u201C', '"')
                .replace('\u201D', '"')
                .replace('\u2013', '-')
                .replace("\u2014", " - ")
                .replace('\u2212', '-')
                .replace("\u2192", "->");
        return Normalizer.normalize(plain, Normalizer.Form.NFKD).replaceAll("\\p{M}", "");
    }

    /** Visits the declarations of a file and collects the paragraphs of their comments. */
    private static final class Comments extends TreePathScanner<@Nullable Void, @Nullable Void> {
        private final DocTrees trees;
        private final List<String> paragraphs = new ArrayList<>();

        Comments(DocTrees trees) {
            this.trees = trees;
        }

        @Override
        public @Nullable Void visitPackage(PackageTree node, @Nullable Void unused) {
            return comment(() -> super.visitPackage(node, null));
        }

        @Override
        public @Nullable Void visitClass(ClassTree node, @Nullable Void unused) {
            return comment(() -> super.visitClass(node, null));
        }

        @Override
        public @Nullable Void visitMethod(MethodTree node, @Nullable Void unused) {
            return comment(() -> null);
        }

        @Override
        public @Nullable Void visitVariable(VariableTree node, @Nullable Void unused) {
            return comment(() -> null);
        }

        private @Nullable Void comment(Supplier<@Nullable Void> inside) {
            DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
            if (comment != null) {
                paragraphs.addAll(new Text(trees).of(comment));
            }
            return inside.get();
        }
    }

    /** Splits a parsed comment into paragraphs. */
    private static final class Text extends DocTreeScanner<@Nullable Void, @Nullable Void> {
        private final DocTrees trees;
        private final StringBuilder line = new StringBuilder();
        private final List<String> paragraphs = new ArrayList<>();
        /** The number of open elements without prose. */
        private int hidden;

        Text(DocTrees trees) {
            this.trees = trees;
        }

        List<String> of(DocCommentTree comment) {
            scan(comment.getFullBody(), null);
            endParagraph();
            return paragraphs;
        }

        private void endParagraph() {
            String text =
                    WHITE_SPACE.matcher(ascii(line.toString())).replaceAll(" ").strip();
            line.setLength(0);
            if (isProse(text)) {
                paragraphs.add(text);
            }
        }

        private @Nullable Void add(@Nullable String text) {
            if (hidden == 0 && text != null) {
                line.append(text);
            }
            return null;
        }

        @Override
        public @Nullable Void visitStartElement(StartElementTree node, @Nullable Void unused) {
            String name = node.getName().toString().toLowerCase(Locale.ROOT);
            if (NO_PROSE.contains(name)) {
                endParagraph();
                hidden++;
            } else if (BLOCKS.contains(name)) {
                endParagraph();
            } else if (name.equals("br")) {
                add(" ");
            }
            return null;
        }

        @Override
        public @Nullable Void visitEndElement(EndElementTree node, @Nullable Void unused) {
            String name = node.getName().toString().toLowerCase(Locale.ROOT);
            if (NO_PROSE.contains(name)) {
                hidden = Math.max(0, hidden - 1);
            } else if (BLOCKS.contains(name)) {
                endParagraph();
            }
            return null;
        }

        @Override
        public @Nullable Void visitText(TextTree node, @Nullable Void unused) {
            return add(node.getBody());
        }

        @Override
        public @Nullable Void visitRawText(RawTextTree node, @Nullable Void unused) {
            return add(node.getContent());
        }

        @Override
        public @Nullable Void visitEntity(EntityTree node, @Nullable Void unused) {
            return add(trees.getCharacters(node));
        }

        @Override
        public @Nullable Void visitEscape(EscapeTree node, @Nullable Void unused) {
            return add(node.getBody());
        }

        @Override
        public @Nullable Void visitErroneous(ErroneousTree node, @Nullable Void unused) {
            return add(node.getBody());
        }

        @Override
        public @Nullable Void visitLiteral(LiteralTree node, @Nullable Void unused) {
            return add(node.getBody().getBody());
        }

        @Override
        public @Nullable Void visitSystemProperty(SystemPropertyTree node, @Nullable Void unused) {
            return add(node.getPropertyName().toString());
        }

        @Override
        public @Nullable Void visitIndex(IndexTree node, @Nullable Void unused) {
            return scan(node.getSearchTerm(), null);
        }

        @Override
        public @Nullable Void visitSnippet(SnippetTree node, @Nullable Void unused) {
            endParagraph();
            return null;
        }

        @Override
        public @Nullable Void visitValue(ValueTree node, @Nullable Void unused) {
            return scan(node.getReference(), null);
        }

        @Override
        public @Nullable Void visitLink(LinkTree node, @Nullable Void unused) {
            List<? extends DocTree> label = node.getLabel();
            return label.isEmpty() ? scan(node.getReference(), null) : scan(label, null);
        }

        /** Renders {@code java.util.List#add(Object)} as {@code List.add}, without package and parameters. */
        @Override
        public @Nullable Void visitReference(ReferenceTree node, @Nullable Void unused) {
            String signature = node.getSignature().replaceFirst("\\(.*", "");
            return add(signature
                    .replaceAll("\\b(?:[a-z][a-z0-9]*\\.)+(?=[A-Z])", "")
                    .replaceFirst("^#+", "")
                    .replaceFirst("#+", "."));
        }
    }

    /** A Java file in memory for javac. */
    private static final class InMemory extends SimpleJavaFileObject {
        private final String text;

        InMemory(JavaSources.File file) {
            super(URI.create("memory:///" + file.path()), JavaFileObject.Kind.SOURCE);
            this.text = file.text();
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
