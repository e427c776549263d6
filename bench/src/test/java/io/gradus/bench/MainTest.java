package io.gradus.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Usage and argument errors, which do not load libtorch. */
class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new Main())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void usageFitsEightyColumns() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("--threads", "--only", "--quick", "steps", "jmh");
        assertThat(out.toString().lines()).allMatch(line -> line.length() <= 80);
    }

    @Test
    void unknownGroupIsRejectedWithTheKnownOnes() {
        assertThat(run("--only", "gemm,everything")).isEqualTo(2);
        assertThat(err.toString()).contains("no group 'everything'", "cross-entropy", "warm-up");
    }

    @Test
    void usageNamesEveryGroup() {
        run("--only", "everything");
        String groups = err.toString().replaceAll("(?s).*the groups are \\[(.*?)].*", "$1");
        run("--help");
        assertThat(groups.split(", "))
                .hasSizeGreaterThan(12)
                .allSatisfy(group -> assertThat(out.toString()).containsPattern("\\s" + group + "[,.]"));
    }

    @Test
    void zeroThreadsAreRejected() {
        assertThat(run("--threads", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--threads: 0 is less than 1");
    }
}
