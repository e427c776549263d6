package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import java.io.File;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user's class in a named Java module, whose fields cannot be read unless its package is open. */
class UnregisteredFieldsInANamedModuleTest {
    @TempDir
    private Path folder;

    /** Compiles a class {@code acme.Network} into a module of its own, and creates an object of it. */
    private Module network(String moduleBody, String classBody) throws Exception {
        Path info = Files.writeString(folder.resolve("module-info.java"), "module acme { " + moduleBody + " }");
        Path source = Files.writeString(
                Files.createDirectories(folder.resolve("acme")).resolve("Network.java"),
                "package acme; import io.gradus.nn.*; public class Network extends io.gradus.nn.Module { " + classBody
                        + " }");
        Path classes = folder.resolve("classes");
        List<String> options = new ArrayList<>(List.of("-proc:none", "-d", classes.toString()));
        String path = Path.of(Module.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                + File.pathSeparator
                + Path.of(Variable.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI());
        options.addAll(
                List.of("--add-reads", "acme=ALL-UNNAMED", "-classpath", path, info.toString(), source.toString()));
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, options.toArray(String[]::new)))
                .as("javac's exit code")
                .isZero();
        ModuleLayer boot = ModuleLayer.boot();
        var configuration = boot.configuration().resolve(ModuleFinder.of(classes), ModuleFinder.of(), Set.of("acme"));
        var controller = ModuleLayer.defineModulesWithOneLoader(
                configuration, List.of(boot), getClass().getClassLoader());
        var acme = controller.layer().findModule("acme").orElseThrow();
        controller.addReads(acme, Module.class.getModule());
        Class<?> network = Objects.requireNonNull(acme.getClassLoader()).loadClass("acme.Network");
        assertThat(network.getModule().isNamed()).isTrue();
        return (Module) network.getConstructor().newInstance();
    }

    private static final String REGISTERED =
            "private final Linear fc1 = register(\"fc1\", new Linear(2, 2)); private final Linear none = null;";
    private static final String FORGOTTEN = "private final Linear fc1 = new Linear(2, 2);";

    @Test
    void classThatRegisteredNothingIsRejectedByItsDeclaredFields() throws Exception {
        Module network = network("exports acme;", FORGOTTEN);
        assertThatThrownBy(network::parameters)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Network.fc1 is declared as a Linear, but the class registered nothing")
                .hasMessageContaining("open the package to io.gradus.nn");
    }

    @Test
    void classThatRegisteredSomethingIsAccepted() throws Exception {
        assertThat(network("exports acme;", REGISTERED).namedParameters()).containsOnlyKeys("fc1.weight", "fc1.bias");
    }

    @Test
    void fieldsOfAnOpenPackageAreCheckedByTheirValues() throws Exception {
        Module network =
                network("exports acme; opens acme;", REGISTERED + "private final Linear fc2 = new Linear(2, 2);");
        assertThatThrownBy(network::parameters)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Network.fc2 holds a Linear that was not registered");
    }
}
