package io.gradus.it;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.PrintStream;
import java.text.DecimalFormat;
import java.text.MessageFormat;
import java.text.NumberFormat;
import java.time.format.DateTimeFormatter;
import java.util.Formatter;
import java.util.Locale;
import java.util.Scanner;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Everything is written and read alike in every locale. Some locales have digits of their own, a decimal comma, or other lower
 * case letters, so no method may be called that takes them from the default locale. This includes what only people read, because
 * programs read it as well.
 */
class LocaleTest {
    private static final ArchCondition<JavaClass> NOT_DEPEND_ON_THE_DEFAULT_LOCALE =
            new ArchCondition<>("pass a locale, such as Locale.ROOT, wherever the default one would be used") {
                @Override
                public void check(JavaClass checked, ConditionEvents events) {
                    checked.getCodeUnitAccessesFromSelf().stream()
                            .filter(LocaleTest::usesTheDefaultLocale)
                            .forEach(access ->
                                    events.add(SimpleConditionEvent.violated(checked, access.getDescription())));
                }
            };

    private static boolean usesTheDefaultLocale(JavaCodeUnitAccess<?> access) {
        String owner = access.getTargetOwner().getName();
        String name = access.getTarget().getName();
        boolean given =
                access.getTarget().getRawParameterTypes().stream().anyMatch(type -> type.isEquivalentTo(Locale.class));
        if (given) {
            return false;
        }
        boolean constructor = name.equals("<init>");
        return switch (owner) {
            case "java.lang.String" ->
                name.equals("format")
                        || name.equals("formatted")
                        || name.equals("toLowerCase")
                        || name.equals("toUpperCase");
            case "java.io.PrintStream", "java.io.PrintWriter", "java.io.Console" ->
                name.equals("printf") || name.equals("format");
            case "java.util.Formatter", "java.util.Scanner" -> constructor;
            case "java.util.Locale" -> name.equals("getDefault");
            case "java.time.format.DateTimeFormatter" -> name.equals("ofPattern") || name.startsWith("ofLocalized");
            default ->
                owner.startsWith("java.text.")
                        && (owner.endsWith("Format") || owner.endsWith("Collator"))
                        && (constructor || name.startsWith("get") || name.equals("format"));
        };
    }

    @Test
    void nothingDependsOnTheDefaultLocale() {
        classes().should(NOT_DEPEND_ON_THE_DEFAULT_LOCALE).check(ArchitectureTest.GRADUS);
    }

    /** A violation of each kind. */
    @SuppressWarnings("unused")
    private static final class Violations {
        private static String format(int n) {
            return String.format("%d", n);
        }

        private static String formatted(int n) {
            return "%d".formatted(n);
        }

        private static String lower(String text) {
            return text.toLowerCase();
        }

        private static UnaryOperator<String> upper() {
            return String::toUpperCase;
        }

        private static PrintStream printf(PrintStream out, int n) {
            return out.printf("%d", n);
        }

        private static Formatter formatter() {
            return new Formatter();
        }

        private static Scanner scanner() {
            return new Scanner("1");
        }

        private static Locale locale() {
            return Locale.getDefault();
        }

        private static DateTimeFormatter pattern() {
            return DateTimeFormatter.ofPattern("uuuu");
        }

        private static NumberFormat number() {
            return NumberFormat.getInstance();
        }

        private static DecimalFormat decimal() {
            return new DecimalFormat("0.0");
        }

        private static String message(int n) {
            return MessageFormat.format("{0}", n);
        }
    }

    /** The same with a locale. */
    @SuppressWarnings("unused")
    private static final class Allowed {
        private static String format(int n) {
            return String.format(Locale.ROOT, "%d", n) + "A".toLowerCase(Locale.ROOT);
        }

        private static DateTimeFormatter pattern(PrintStream out) {
            out.printf(Locale.ROOT, "%d", 1);
            return DateTimeFormatter.ofPattern("uuuu", Locale.ROOT);
        }
    }

    private static long found(Class<?> checked) {
        return new ClassFileImporter()
                .importClasses(checked).get(checked).getCodeUnitAccessesFromSelf().stream()
                        .filter(LocaleTest::usesTheDefaultLocale)
                        .count();
    }

    @Test
    void everyKindOfViolationIsFound() {
        assertThat(found(Violations.class)).isEqualTo(12);
        assertThat(found(Allowed.class)).isZero();
    }
}
