package io.gradus.corpora;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JavaCodeTest {

    @Test
    void licensePackageImportsAndCommentsAreRemoved() {
        String source = """
            /*
             * Licensed to someone.
             */
            package a.b;

            import java.util.List;
            import static java.lang.Math.*;

            /** A thing. */
            class Thing { // first

                /* block */ int a; // one


                int b;
            }
            """;
        assertThat(JavaCode.of(source)).isEqualTo("class Thing {\n\n     int a;\n\n    int b;\n}");
    }

    @Test
    void commentMarksInsideLiteralsAreKept() {
        String source =
                "String s = \"/* no */ \\\" // no\"; char c = '\"'; // yes\nString t = \"http://x\"; /* \" */ int d;";
        assertThat(JavaCode.of(source))
                .isEqualTo("String s = \"/* no */ \\\" // no\"; char c = '\"';\nString t = \"http://x\";  int d;");
    }

    @Test
    void textBlocksAreKept() {
        String block = "String s = \"\"\"\n    // kept \"quoted\" \\\"\"\" */\n    \"\"\";";
        assertThat(JavaCode.of(block + " // dropped")).isEqualTo(block);
    }

    @Test
    void nonAsciiCharactersBecomeUnicodeEscapes() {
        assertThat(JavaCode.of("String s = \"\u00E9\uD83D\uDE00\";"))
                .isEqualTo("String s = \"\\u00E9\\uD83D\\uDE00\";");
    }

    @Test
    void fileWithOnlyCommentsAndImportsIsEmpty() {
        assertThat(JavaCode.of("/** Package. */\npackage a.b;\r\n\r\nimport c.D;\r\n"))
                .isEmpty();
    }

    @Test
    void longLiteralsAndCommentsDoNotOverflowTheStack() {
        String literal = "\"" + "x\\n".repeat(200_000) + "\"";
        assertThat(JavaCode.of("/*" + "x".repeat(200_000) + "*/String s = " + literal + ";"))
                .isEqualTo("String s = " + literal + ";");
    }
}
