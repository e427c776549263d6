package io.gradus.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractCollection;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The records of files, which take no memory: each iteration reads the files again. They were read once before, so errors in
 * them are known. An iterator that meets one nevertheless, because a file has changed, throws {@link UncheckedIOException}.
 */
final class FileRecords<T> extends AbstractCollection<T> {
    private final List<Path> files;
    private final Opener<T> opener;
    private final long bytes;
    private int size;

    /** Opens the records of a file. */
    @FunctionalInterface
    interface Opener<T> {
        RecordReader<T> open(Path file) throws IOException;
    }

    private FileRecords(List<Path> files, Opener<T> opener) throws IOException {
        this.files = List.copyOf(files);
        this.opener = opener;
        long all = 0;
        for (Path file : files) {
            all += Files.size(file);
        }
        this.bytes = all;
    }

    /**
     * Reads all records once.
     *
     * @throws IOException if a file is missing, malformed, or has no records
     */
    static <T> FileRecords<T> of(List<Path> files, Opener<T> opener) throws IOException {
        FileRecords<T> records = new FileRecords<>(files, opener);
        for (Path file : files) {
            RecordReader<T> reader = opener.open(file);
            int before = records.size;
            while (reader.next() != null) {
                records.size = Math.incrementExact(records.size);
            }
            if (records.size == before) {
                throw new IOException(file + ": it is empty or has only white space");
            }
        }
        return records;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Iterator<T> iterator() {
        return new Records();
    }

    private final class Records extends MeasuredIterator<T> {
        private int opened;
        private long bytesBefore; // of the files before the open one
        private @Nullable RecordReader<T> reader;

        @Override
        @Nullable T read() {
            try {
                T record = null;
                while (record == null && (reader != null || opened < files.size())) {
                    if (reader == null) {
                        reader = opener.open(files.get(opened++));
                    }
                    record = reader.next();
                    if (record == null) {
                        bytesBefore += reader.position();
                        reader = null;
                    }
                }
                return record;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        double fraction() {
            return (double) (bytesBefore + (reader == null ? 0 : reader.position())) / bytes;
        }
    }
}
