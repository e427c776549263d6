package io.gradus.cli;

import io.gradus.core.BackendProvider;
import io.gradus.core.Device;
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
    /** The version that the GPU backend is built and tested with. */
    static final String TORNADOVM = "5.2.0-jdk25";

    private static final int COLUMN = 7;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Terminal terminal = Terminal.of(spec);
        for (Device device : Device.all()) {
            terminal.print(String.valueOf(device), COLUMN, device.backend().description());
        }
        boolean any = false;
        for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
            any = true;
            if (provider.devices().isEmpty()) {
                terminal.print("gpu", COLUMN, provider.explanation());
            }
        }
        if (!any) {
            terminal.print(
                    "gpu",
                    COLUMN,
                    "none: the GPU backend is built only if the SDK of TornadoVM " + TORNADOVM + " is installed (sdk"
                            + " install tornadovm " + TORNADOVM
                            + "-opencl, or TORNADOVM_HOME is its folder). The device"
                            + " also needs its driver (OpenCL or NVIDIA).");
        }
        terminal.out().flush();
        return 0;
    }
}
