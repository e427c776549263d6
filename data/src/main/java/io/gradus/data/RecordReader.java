package io.gradus.data;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads the records of a file, one after another. Need not be closed. */
interface RecordReader<T> {

    /**
     * The next record; null at the end.
     *
     * @throws IOException if the record is malformed; the message names the file and the line
     */
    @Nullable T next() throws IOException;

    /** The number of bytes that have been read. */
    long position();
}
