package io.gradus.data;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads a file as one text. A long file is only checked, and its text is read when it is used. */
final class PlainText implements RecordReader<Document> {
    private static final long LONGEST_IN_MEMORY = 16 << 20;

    private final Path file;
    private final Utf8Reader reader;
    private boolean read;

    PlainText(Path file) throws IOException {
        this.file = file;
        this.reader = new Utf8Reader(file);
    }

    @Override
    public @Nullable Document next() throws IOException {
        if (read) {
            return null;
        }
        read = true;
        long from = reader.position();
        if (reader.end() <= LONGEST_IN_MEMORY) {
            String text = reader.readAllAsString();
            return text.isBlank() ? null : new Document.Text(text);
        }
        return isBlank() ? null : new Document.TextFile(file, from, reader.end());
    }

    /** Reads the whole text, so that errors in it are found. */
    private boolean isBlank() throws IOException {
        char[] chars = new char[1 << 13];
        boolean blank = true;
        for (int count = reader.read(chars); count >= 0; count = reader.read(chars)) {
            blank = blank && String.valueOf(chars, 0, count).isBlank();
        }
        return blank;
    }

    @Override
    public long position() {
        return reader.position();
    }
}
