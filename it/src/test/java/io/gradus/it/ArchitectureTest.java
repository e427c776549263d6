package io.gradus.it;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The imports between modules and packages are those of the design. */
class ArchitectureTest {
    private static final String[] MODULES = {
        "core", "autograd", "nn", "optim", "parallel", "data", "train", "corpora", "cli", "examples", "bench"
    };

    /** The classes of every module of this build; {@code gpu} is one of them where a TornadoVM SDK is installed. */
    static final JavaClasses GRADUS = new ClassFileImporter()
            .importPaths(Stream.concat(Arrays.stream(MODULES), Stream.of("gpu"))
                    .map(module -> Path.of("..", module, "target", "classes"))
                    .filter(Files::isDirectory)
                    .toList());

    @Test
    void everyModuleIsImported() {
        for (String module : MODULES) {
            assertThat(GRADUS.that(resideInAnyPackage(in(module)))).as(module).isNotEmpty();
        }
    }

    /**
     * Every package is a slice. Two dependencies are left out, because they are what these packages are for: {@code core} hands
     * out the devices whose backends are in its subpackages, and {@code Variable} applies the operations in {@code autograd.op}.
     */
    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("io.gradus.(**)")
                .should()
                .beFreeOfCycles()
                .ignoreDependency(resideInAPackage("io.gradus.core"), resideInAPackage("io.gradus.core.*.."))
                .ignoreDependency(resideInAPackage("io.gradus.autograd"), resideInAPackage("io.gradus.autograd.op"))
                .check(GRADUS);
    }

    @ParameterizedTest(name = "{0} imports only: {1}")
    @CsvSource(
            nullValues = "nothing",
            value = {
                "core,     nothing",
                "autograd, core",
                "nn,       autograd core",
                "optim,    autograd core",
                "parallel, core",
                "data,     nn autograd core",
                "train,    data nn optim parallel autograd core",
                "corpora,  nothing",
                "cli,      corpora train data nn optim parallel autograd core",
                "gpu,      core",
            })
    void moduleImportsOnlyTheModulesBelowIt(String module, String below) {
        String[] allowed = below == null ? new String[] {in(module)} : in((module + " " + below).split(" "));
        classes()
                .that()
                .resideInAPackage(in(module))
                .should()
                .onlyDependOnClassesThat(not(resideInAnyPackage("io.gradus..")).or(resideInAnyPackage(allowed)))
                .allowEmptyShould(module.equals("gpu"))
                .check(GRADUS);
    }

    @Test
    void noModuleImportsTheGpuBackend() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("gpu"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(in("gpu"))
                .check(GRADUS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "autograd", "nn", "optim", "parallel"})
    void libraryModuleNeedsOnlyTheJdkJSpecifyAndJackson(String module) {
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

    @Test
    void onlyTheCommandLineUsesTerminalAndHtmlLibraries() {
        noClasses()
                .that()
                .resideOutsideOfPackages(in("cli"), in("bench"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "com.samskivert..")
                .check(GRADUS);
    }

    private static String in(String module) {
        return "io.gradus." + module + "..";
    }

    private static String[] in(String[] modules) {
        return Arrays.stream(modules).map(ArchitectureTest::in).toArray(String[]::new);
    }
}
