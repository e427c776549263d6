package io.gradus.examples;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The imports between the modules are the arrows of the design and no others. */
class ModuleArrowsTest {
    private static final JavaClasses GRADUS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.gradus");

    @ParameterizedTest
    @ValueSource(strings = {"core", "autograd", "nn", "optim", "data", "corpora", "train", "cli", "examples"})
    void everyModuleIsRead(String module) {
        assertThat(GRADUS.that(resideInAnyPackage(in(module)))).isNotEmpty();
    }

    @ParameterizedTest(name = "{0} imports only: {1}")
    @CsvSource(
            nullValues = "nothing",
            value = {
                "core,     nothing",
                "autograd, core",
                "nn,       autograd core",
                "optim,    autograd core",
                "data,     nn autograd core",
                "corpora,  nothing",
                "train,    data nn optim autograd core",
                "cli,      train corpora data nn optim autograd core",
            })
    void aModuleImportsOnlyTheModulesBelowIt(String module, String below) {
        String[] allowed = below == null ? new String[] {in(module)} : in((module + " " + below).split(" "));
        classes()
                .that()
                .resideInAPackage(in(module))
                .should()
                .onlyDependOnClassesThat(not(resideInAnyPackage("io.gradus..")).or(resideInAnyPackage(allowed)))
                .check(GRADUS);
    }

    @Test
    void nobodyImportsTheGpuBackend() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("gpu"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(in("gpu"))
                .check(GRADUS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "autograd", "nn", "optim"})
    void aLibraryModuleNeedsOnlyTheJdkJSpecifyAndJackson(String module) {
        classes()
                .that()
                .resideInAPackage(in(module))
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.gradus..",
                        "java..",
                        "jdk.incubator.vector..",
                        "com.sun.management..", // the JDK's too, of its module jdk.management
                        "org.jspecify..",
                        "com.fasterxml.jackson..")
                .check(GRADUS);
    }

    private static String in(String module) {
        return "io.gradus." + module + "..";
    }

    private static String[] in(String[] modules) {
        return Arrays.stream(modules).map(ModuleArrowsTest::in).toArray(String[]::new);
    }
}
