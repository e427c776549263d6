package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.Bf16GemmContract;
import java.util.List;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of BF16, by each of the ways to compute them that this processor has. */
@ParameterizedClass
@ValueSource(strings = {"ROUNDED", "PAIRED", "TILES"})
final class CpuBf16GemmTest extends Bf16GemmContract {
    private final List<Device> devices;

    CpuBf16GemmTest(String products) {
        devices = ProductDevices.of(products);
    }

    @Override
    protected Device device() {
        return devices.getFirst();
    }

    @Override
    protected List<Device> sameBits() {
        return List.of(devices.getLast());
    }
}
