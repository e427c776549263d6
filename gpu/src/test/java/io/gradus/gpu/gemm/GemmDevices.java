package io.gradus.gpu.gemm;

import io.gradus.core.Backend;
import io.gradus.core.Device;
import io.gradus.core.kernel.Kernels;
import io.gradus.gpu.TornadoBackend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** The GPU with a given algorithm for matrix products. */
final class GemmDevices {
    private GemmDevices() {}

    static Device device(Gemm.Algorithm algorithm) {
        Device gpu = Device.gpu();
        TornadoBackend backend = (TornadoBackend) gpu.backend();
        Gemm gemm = new Gemm(backend.launcher(), algorithm);
        Backend other = (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (_, method, arguments) -> {
                    if (method.getName().equals("kernels")) {
                        Kernels k = backend.kernels();
                        return new Kernels(
                                gemm,
                                k.elementwise(),
                                k.reduction(),
                                k.softmax(),
                                k.crossEntropy(),
                                k.normalization(),
                                k.rotary(),
                                k.attention(),
                                k.lstm(),
                                k.embedding(),
                                k.movement(),
                                k.scan(),
                                k.random(),
                                k.optimizerSteps(),
                                k.cast());
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return new Device(gpu.type(), gpu.index(), other);
    }
}
