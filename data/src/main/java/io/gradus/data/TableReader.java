package io.gradus.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rows of a table. A row ends with LF, CRLF or CR. Blank lines are skipped.
 *
 * <ul>
 *   <li>CSV (RFC 4180): cells are separated by commas. A cell in double quotes may contain commas, line breaks, and quotes
 *       that are doubled. Spaces before and after the quotes are skipped. In a cell that begins otherwise, quotes are text.
 *   <li>TSV (IANA text/tab-separated-values): cells are separated by tabs and have no quotes, so each line is a row.
 * </ul>
 */
final class TableReader {
    private static final int END = -1;

    private final Path file;
    private final Utf8Reader bytes;
    private final Reader reader;
    private final char separator;
    private int next;
    private int line = 1;
    private boolean quoted; // the last cell

    /**
     * A row.
     *
     * @param place the file and the line in which the row begins
     */
    record Row(String place, List<String> cells) {}

    TableReader(Path file) throws IOException {
        this.file = file;
        this.separator = Documents.hasExtension(file, ".tsv") ? '\t' : ',';
        this.bytes = new Utf8Reader(file);
        this.reader = new BufferedReader(bytes, 1 << 16);
        next = reader.read();
    }

    /**
     * The next row, or null at the end.
     *
     * @throws IOException if quotes are not closed, or a cell goes on after them; the message names the file and the line
     */
    @Nullable Row row() throws IOException {
        while (next != END) {
            String place = file + ":" + line;
            List<String> cells = new ArrayList<>();
            cells.add(cell(place));
            while (next == separator) {
                advance();
                cells.add(cell(place));
            }
            boolean blank = cells.size() == 1 && !quoted && cells.getFirst().isBlank();
            endLine();
            if (!blank) {
                return new Row(place, cells);
            }
        }
        return null;
    }

    private String cell(String place) throws IOException {
        StringBuilder cell = new StringBuilder();
        if (separator == ',') {
            while (next == ' ') {
                cell.append(advance());
            }
        }
        quoted = separator == ',' && next == '"';
        if (quoted) {
            return quoted(place);
        }
        while (!atCellEnd()) {
            cell.append(advance());
        }
        return cell.toString();
    }

    private String quoted(String place) throws IOException {
        StringBuilder cell = new StringBuilder();
        int opened = line;
        advance();
        while (true) {
            if (next == END) {
                throw new IOException(place + ": it is not CSV: the quote on line " + opened
                        + " is not closed; close it, and write a" + " quote inside quotes twice");
            }
            char character = advance();
            if (character == '"') {
                if (next != '"') {
                    break;
                }
                advance();
            }
            cell.append(character);
        }
        while (next == ' ') {
            advance();
        }
        if (!atCellEnd()) {
            throw new IOException(place + ": it is not CSV: the cell goes on after its closing quote on line " + line
                    + "; write a quote inside quotes twice");
        }
        return cell.toString();
    }

    private boolean atCellEnd() {
        return next == separator || next == '\n' || next == '\r' || next == END;
    }

    private void endLine() throws IOException {
        if (next == '\r') {
            advance();
            if (next == '\n') {
                advance();
            }
        } else if (next == '\n') {
            advance();
        }
    }

    /** Moves to the next character, and counts lines. */
    private char advance() throws IOException {
        char current = (char) next;
        next = reader.read();
        line += current == '\n' || current == '\r' && next != '\n' ? 1 : 0;
        return current;
    }

    /** The number of bytes that have been read. */
    long position() {
        return bytes.position();
    }
}
