package io.gradus.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.data.jinja.Template.Rendering;
import io.gradus.data.jinja.Template.Span;
import io.gradus.data.jinja.Template.Visit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates render as in transformers, whose results are in the fixture. */
class TemplateTest {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);
    private static final LocalDateTime TIME = LocalDateTime.parse("2024-03-07T09:05:08.123456");

    private static Rendering render(String template, Map<String, ?> variables) {
        return Template.parse(template).render(variables, TIME);
    }

    private static String text(String template) {
        return render(template, Map.of()).text();
    }

    @Test
    void textsAndErrorsEqualThoseOfTransformers() throws IOException {
        JsonNode fixture =
                JSON.readTree(Path.of("src/test/fixtures/jinja/cases.json").toFile());
        Map<String, Object> variables = JSON.convertValue(fixture.get("variables"), new TypeReference<>() {});
        List<String> wrong = new ArrayList<>();
        for (JsonNode expected : fixture.get("cases")) {
            String template = expected.get("template").textValue();
            String difference = difference(expected, template, variables);
            if (!difference.isEmpty()) {
                wrong.add(template + "\n    " + difference);
            }
        }
        assertThat(fixture.get("cases").size()).isGreaterThan(800);
        assertThat(wrong).isEmpty();
    }

    private static String difference(JsonNode expected, String template, Map<String, Object> variables) {
        Rendering rendering;
        try {
            rendering = render(template, variables);
        } catch (TemplateException e) {
            return differenceOfError(expected, e);
        }
        String text = expected.path("text").textValue();
        if (!rendering.text().equals(text)) {
            return "is " + rendering.text() + "\n    not " + expected;
        }
        List<List<Integer>> generated =
                JSON.convertValue(expected.path("generated"), new TypeReference<List<List<Integer>>>() {});
        boolean places = generated == null
                || rendering.generatedElsewhere()
                || rendering.generated().stream()
                        .map(span -> List.of(span.from(), span.to()))
                        .toList()
                        .equals(generated);
        return places ? "" : "generates at " + rendering.generated() + ", not " + generated;
    }

    private static String differenceOfError(JsonNode expected, TemplateException e) {
        String shown = e.error() + " in line " + e.line() + ": " + e.getMessage();
        String error = expected.path("error").asText();
        // Python reports some errors when it compiles what Jinja wrote.
        boolean syntax = error.equals("SyntaxError") || error.equals("TemplateAssertionError");
        if (!e.error().equals(syntax ? "TemplateSyntaxError" : error)) {
            return "fails with " + shown + "\n    not " + expected;
        }
        String message = expected.path("message").asText(String.valueOf(e.getMessage()));
        // A filter that does not exist has two messages in Jinja.
        if (!message.replace("' found.", "'.").equals(e.getMessage())) {
            return "fails with " + shown + "\n    not " + expected;
        }
        // Jinja names the first line of a statement; this is the line of the expression.
        return expected.path("line").asInt(e.line()) > e.line() ? "fails in line " + e.line() : "";
    }

    @Test
    void constantDoesNotHideTheErrorOfASlice() {
        // Jinja computes constants before rendering, where such an error becomes an undefined value.
        assertThatThrownBy(() -> text("{{ 5[1:] }}"))
                .isInstanceOf(TemplateException.class)
                .hasMessage("'int' object is not subscriptable");
    }

    @Test
    void errorNamesTheLineOfTheExpression() {
        TemplateException e = catchThrowableOfType(
                TemplateException.class, () -> text("a\n{% set x = [\n  1,\n  nothing.more\n] %}"));
        assertThat(e.line()).isEqualTo(4);
        assertThat(e.error()).isEqualTo("UndefinedError");
        assertThat(e).hasMessage("'nothing' is undefined");
    }

    @Test
    void roundsOfLoopsOverPassedMapsAreReported() {
        Map<String, String> first = Map.of("content", "ab");
        Map<String, String> silent = Map.of("content", "");
        Map<String, String> last = Map.of("content", "c");
        String template = "<{% for m in all[::-1] if m.content is string %}{{ m.content }}{% endfor %}>"
                + "{% set later %}{% for m in all %}{{ m.content }}{% endfor %}{% endset %}{{ later }}";
        Rendering rendering = render(template, Map.of("all", List.of(last, silent, first)));
        assertThat(rendering.text()).isEqualTo("<abc>cab");
        assertThat(rendering.visits()).containsExactly(new Visit(first, 1, 3), new Visit(last, 3, 4));
    }

    @Test
    void generationBlockInAMacroHasNoPlace() {
        String block = "{% generation %}x{% endgeneration %}";
        Rendering hidden = render("{% macro m() %}" + block + "{% endmacro %}{{ m() }}", Map.of());
        assertThat(hidden.generatedElsewhere()).isTrue();
        assertThat(hidden.generated()).isEmpty();
        Rendering shown = render("{% for i in range(2) %}-" + block + "{% endfor %}", Map.of());
        assertThat(shown.generatedElsewhere()).isFalse();
        assertThat(shown.generated()).containsExactly(new Span(1, 2), new Span(3, 4));
    }

    @Test
    void placesCountJavasCharacters() {
        assertThat(render("🙂{% generation %}🙂{% endgeneration %}", Map.of()).generated())
                .containsExactly(new Span(2, 4));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
                "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
                "{% set n = namespace(x=2) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
                "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{{ 'a' * 10 ** 12 }}",
                "{{ ('a' * 9999999).replace('a', 'b' * 9999999) }}",
                "{{ 'x'.join(('a' * 99999).replace('', 'b' * 99999)) }}",
                "{{ 'a' | center(10 ** 10) }}",
                "{{ '%999999999d' % 1 }}",
                "{{ '{:999999999}'.format(1) }}",
                "{{ 'a' | indent(10 ** 10, true) }}",
                "{{ [1] * 10 ** 10 }}",
                "{{ 10 ** (10 ** 10) }}",
                "{{ [1] | batch(10 ** 9, 0) | list }}",
                "{{ '\\t'.expandtabs(10 ** 9) }}",
                "{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}"
            })
    void templateThatWouldNotEndIsStopped(String template) {
        assertThatThrownBy(() -> text(template))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.error()).isEqualTo("LimitError"));
    }

    @Test
    void deeplyNestedTemplatesAreRejected() {
        for (String template : List.of(
                "{{ " + "(".repeat(9999) + "1" + ")".repeat(9999) + " }}",
                "{{ " + "1 + ".repeat(99_999) + "1 }}",
                "{{ " + "-".repeat(9999) + "1 }}",
                "{{ a" + ".b".repeat(99_999) + " }}",
                "{% if 1 %}".repeat(9999) + "{% endif %}".repeat(9999))) {
            assertThatThrownBy(() -> text(template))
                    .as(template.substring(0, 20))
                    .isInstanceOfSatisfying(
                            TemplateException.class, e -> assertThat(e.error()).isEqualTo("LimitError"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'a' | wordwrap }}",
                "{% autoescape true %}{% endautoescape %}",
                "{{ 'a'.encode() }}",
                "{{ lipsum() }}",
                "{{ (-1) ** 0.5 }}"
            })
    void partOfJinjaThatIsMissingIsNamed(String template) {
        assertThatThrownBy(() -> text(template))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.error()).isEqualTo("NotSupported"))
                .hasMessageContaining("is not supported");
    }
}
