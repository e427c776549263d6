package io.gradus.gpu;

import io.gradus.core.BackendProvider;
import io.gradus.core.Device;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/**
 * Finds the devices of the TornadoVM drivers: {@code gpu} is the first one, {@code gpu:1} the next. GPUs come before
 * CPU devices. {@code -Dgradus.gpu.device=opencl} (or ptx, or cuda) selects the devices of one driver.
 */
public final class TornadoProvider implements BackendProvider {

    /**
     * Settings of TornadoVM that apply unless the command line overrides them. TornadoVM allocates arrays for {@code
     * tornado.max.events} events and fills them at each launch.
     */
    private static final Map<String, String> SETTINGS = Map.of(
            "tornado.opencl.compiler.flags", "-w", // the default flags remove NaN checks
            "tornado.max.events", "64",
            "tornado.device.memory", "1024GB"); // limited only by the device

    /** The devices, found once: a driver can be started only once per JVM. */
    private record Found(List<Device> devices, String explanation) {
        static final Found NOW = find();

        private static Found find() {
            SETTINGS.forEach((key, value) -> System.setProperty(key, System.getProperty(key, value)));
            // A kernel that does not compile must be an error: TornadoVM would run it as sequential Java, with wrong
            // results.
            System.setProperty("tornado.recover.bailout", "False");
            try {
                TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
                List<TornadoDevice> found = new ArrayList<>();
                for (int i = 0; i < runtime.getNumBackends(); i++) {
                    found.addAll(runtime.getBackend(i).getAllDevices());
                }
                String wanted = System.getProperty("gradus.gpu.device");
                if (wanted != null) {
                    found.removeIf(
                            device -> !device.getTornadoVMBackend().name().equalsIgnoreCase(wanted));
                }
                found.sort(Comparator.comparing(device -> device.getDeviceType() == TornadoDeviceType.CPU));
                List<Device> devices = new ArrayList<>();
                for (TornadoDevice device : found) {
                    devices.add(new Device("gpu", devices.size(), new TornadoBackend(device)));
                }
                return new Found(
                        List.copyOf(devices),
                        "TornadoVM runs, but finds no device"
                                + (wanted == null ? "" : " of -Dgradus.gpu.device=" + wanted)
                                + "; install a driver: NVIDIA's, Intel's or AMD's for a GPU, "
                                + "or PoCL (Debian: pocl-opencl-icd) for the CPU as an OpenCL device");
            } catch (IllegalArgumentException e) {
                return new Found(List.of(), String.valueOf(e.getMessage()));
            } catch (RuntimeException | LinkageError | TornadoInternalError e) {
                return new Found(
                        List.of(),
                        "TornadoVM does not run here (" + e.getMessage() + "); install a TornadoVM SDK (sdk install"
                                + " tornadovm), name its folder with"
                                + " TORNADOVM_HOME, and start the JVM with"
                                + " @$TORNADOVM_HOME/tornado-argfile, as"
                                + " ./gradus does by itself");
            }
        }
    }

    @Override
    public List<Device> devices() {
        return Found.NOW.devices;
    }

    @Override
    public String explanation() {
        return Found.NOW.explanation;
    }
}
