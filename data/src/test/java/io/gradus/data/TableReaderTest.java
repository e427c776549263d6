package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.TableReader.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rows of CSV as RFC 4180 defines them, and of TSV as IANA's text/tab-separated-values does. */
class TableReaderTest {
    @TempDir
    private Path folder;

    /** Each row as its line followed by its cells. */
    private List<List<String>> rows(String name, String content) throws IOException {
        Path file = Files.writeString(folder.resolve(name), content);
        List<List<String>> rows = new ArrayList<>();
        TableReader reader = new TableReader(file);
        for (Row row = reader.row(); row != null; row = reader.row()) {
            List<String> cells = new ArrayList<>(row.cells());
            cells.addFirst(row.place().substring(file.toString().length() + 1));
            rows.add(cells);
        }
        return rows;
    }

    private List<List<String>> csv(String content) throws IOException {
        return rows("a.csv", content);
    }

    private List<List<String>> tsv(String content) throws IOException {
        return rows("a.tsv", content);
    }

    @Test
    void examplesOfRfc4180AreRead() throws IOException {
        List<List<String>> two = List.of(List.of("1", "aaa", "bbb", "ccc"), List.of("2", "zzz", "yyy", "xxx"));
        assertThat(csv("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n")).isEqualTo(two);
        assertThat(csv("aaa,bbb,ccc\r\nzzz,yyy,xxx")).isEqualTo(two);
        assertThat(csv("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx")).isEqualTo(two);
        assertThat(csv("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx"))
                .containsExactly(List.of("1", "aaa", "b\r\nbb", "ccc"), List.of("3", "zzz", "yyy", "xxx"));
        assertThat(csv("\"aaa\",\"b\"\"bb\",\"ccc\"")).containsExactly(List.of("1", "aaa", "b\"bb", "ccc"));
    }

    @Test
    void rowsEndWithEachKindOfLineEnd() throws IOException {
        List<List<String>> three = List.of(List.of("1", "a", "b"), List.of("2", "c", "d"), List.of("3", "e", "f"));
        for (String end : List.of("\n", "\r\n", "\r")) {
            assertThat(csv("a,b" + end + "c,d" + end + "e,f")).isEqualTo(three);
            assertThat(tsv("a\tb" + end + "c\td" + end + "e\tf" + end)).isEqualTo(three);
        }
        assertThat(csv("a,b\rc,d\r\ne,f\n")).isEqualTo(three);
    }

    @Test
    void lineOfARowIsWhereItBegins() throws IOException {
        assertThat(csv("\n\na,\"1\n2\r\n3\r4\"\n \nb,c\n"))
                .containsExactly(List.of("3", "a", "1\n2\r\n3\r4"), List.of("8", "b", "c"));
    }

    @Test
    void cellsMayBeEmpty() throws IOException {
        assertThat(csv(",\n\"\",\"\"\na,"))
                .containsExactly(List.of("1", "", ""), List.of("2", "", ""), List.of("3", "a", ""));
        assertThat(csv("\"\"\n")).containsExactly(List.of("1", ""));
        assertThat(csv("")).isEmpty();
        assertThat(csv("\r\n\n  \n")).isEmpty();
        assertThat(tsv("\t\n\na\t")).containsExactly(List.of("1", "", ""), List.of("3", "a", ""));
    }

    @Test
    void quotesInsideAnUnquotedCellAreText() throws IOException {
        assertThat(csv("say \"hi\",5\" wide,a\"\n")).containsExactly(List.of("1", "say \"hi\"", "5\" wide", "a\""));
    }

    @Test
    void spacesAroundQuotesAreSkippedAndOthersKept() throws IOException {
        assertThat(csv("a,  \"b, c\" , d \n")).containsExactly(List.of("1", "a", "b, c", " d "));
    }

    @Test
    void byteOrderMarkBeforeAQuoteIsSkipped() throws IOException {
        assertThat(csv("\uFEFF\"a,b\",c")).containsExactly(List.of("1", "a,b", "c"));
    }

    @Test
    void quotesOfTsvAreText() throws IOException {
        assertThat(tsv("\"What a film\tneg\nso good\"\tpos\n\"a\"\t\"\"\n"))
                .containsExactly(
                        List.of("1", "\"What a film", "neg"),
                        List.of("2", "so good\"", "pos"),
                        List.of("3", "\"a\"", "\"\""));
    }

    @Test
    void quoteThatIsNotClosedIsReportedWithTheLineOfItsRow() {
        assertThatThrownBy(() -> csv("a,b\n\nc,\nd,\"e\nf,g\n"))
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith("a.csv:4: it is not CSV: the quote on line 4 is not closed; close it, and write a"
                        + " quote inside quotes twice");
    }

    @Test
    void textAfterAClosingQuoteIsReportedWithTheLineOfItsRow() {
        assertThatThrownBy(() -> csv("a,b\n\"c\nd\"e,f\n"))
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith(
                        "a.csv:2: it is not CSV: the cell goes on after its closing quote on line 3; write"
                                + " a quote inside quotes twice");
    }

    @Test
    void longCellIsReadWhole() throws IOException {
        String text = "é\"😀,\n".repeat(100_000);
        List<List<String>> rows = csv("a,\"" + text.replace("\"", "\"\"") + "\"\nb,c");
        assertThat(rows.getFirst().get(2).equals(text)).isTrue();
        assertThat(rows.get(1)).containsExactly("100002", "b", "c");
    }
}
