package io.gradus.cli;

import io.gradus.core.BackendProvider;
import io.gradus.core.Device;
import java.io.PrintWriter;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Implements {@code gradus devices}. */
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        description = "Lists the available devices and explains why others are unavailable.",
        footer = {"", "Examples:", "  ./gradus devices"})
final class DevicesCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        for (Device device : Device.all()) {
            out.printf("%-6s %s%n", device, device.backend().description());
        }
        boolean any = false;
        for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
            any = true;
            if (provider.devices().isEmpty()) {
                out.println("gpu    " + provider.explanation());
            }
        }
        if (!any) {
            out.println(
                    "gpu    none: the GPU backend is built only if a TornadoVM SDK is installed (sdk install tornadovm,"
                            + " or");
            out.println("       TORNADOVM_HOME is its folder). The device also needs its driver (OpenCL or NVIDIA).");
        }
        out.flush();
        return 0;
    }
}
