package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.SplitGemmContract;
import java.util.List;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of sums of two BF16, by each of the ways to compute them that this processor has. */
@ParameterizedClass
@ValueSource(strings = {"SPLIT", "SPLIT_TILES"})
final class CpuSplitGemmTest extends SplitGemmContract {
    private final List<Device> devices;

    CpuSplitGemmTest(String products) {
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
