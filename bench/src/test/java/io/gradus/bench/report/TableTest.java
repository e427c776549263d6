package io.gradus.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void theFirstColumnStandsLeftAndTheOthersRight() {
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
    void aRowOfAnotherLengthIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Table("a", "b").row("c"))
                .withMessageContaining("1 cells in one of 2");
    }
}
