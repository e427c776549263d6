package io.gradus.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void firstColumnIsLeftAlignedAndOthersRightAligned() {
        Table table = new Table("case", "ms");
        table.row("a long name", "1.5");
        table.row("short", "123.4");

        assertThat(table.text()).isEqualTo("""
            case            ms
            a long name    1.5
            short        123.4
            """);
    }

    @Test
    void rowOfAnotherLengthIsRejected() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Table("a", "b").row("c"))
                .withMessageContaining("a row has 1 cells, and the first has 2");
    }
}
