package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.AttentionContract;
import java.util.List;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention with products of BF16, where this processor has tiles for them, and of tensors of BF16. */
@ParameterizedClass
@ValueSource(strings = {"TILES", "SPLIT_TILES", "HALF"})
final class CpuBf16AttentionTest extends AttentionContract {
    private final String products;
    private final List<Device> devices;

    CpuBf16AttentionTest(String products) {
        this.products = products;
        devices = products.equals("HALF") ? HalfAttention.DEVICES : ProductDevices.of(products);
    }

    @Override
    protected Device device() {
        return devices.getFirst();
    }

    @Override
    protected List<Device> sameBits() {
        return List.of(devices.getLast());
    }

    @Override
    protected double rounding() {
        return switch (products) {
            case "HALF" -> 0x1p-8; // of a weight, and of a result
            case "SPLIT_TILES" -> 0x1p-17;
            default -> 0x1p-9;
        };
    }
}
