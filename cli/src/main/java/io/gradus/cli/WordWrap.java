package io.gradus.cli;

import java.io.PrintWriter;

/** Prints text that comes in pieces, with line breaks between words where a line is full. */
final class WordWrap {
    private final PrintWriter out;
    private final int width;
    private final StringBuilder word = new StringBuilder();
    private int column;

    WordWrap(PrintWriter out, int width) {
        this.out = out;
        this.width = width;
    }

    /** Prints a piece, without its last word if more of it may follow. */
    void print(String piece) {
        piece.codePoints().forEach(c -> {
            if (c == '\n') {
                flushWord();
                out.println();
                column = 0;
            } else if (Character.isWhitespace(c)) {
                flushWord();
                if (column < width - 1) {
                    out.print(Character.toString(c));
                    column++;
                }
            } else {
                word.appendCodePoint(c);
            }
        });
        out.flush();
    }

    private void flushWord() {
        int length = word.codePointCount(0, word.length());
        if (column > 0 && column + length >= width) {
            out.println();
            column = 0;
        }
        out.print(word);
        column += length;
        word.setLength(0);
    }

    /** Prints the last word and ends its line. */
    void end() {
        flushWord();
        if (column > 0) {
            out.println();
            column = 0;
        }
        out.flush();
    }
}
