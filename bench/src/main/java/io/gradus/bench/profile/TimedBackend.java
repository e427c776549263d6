package io.gradus.bench.profile;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MatmulPrecision;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * A backend that computes with another one, and reports each call of a kernel and its time to a {@link Profile}. A kernel that
 * calls others is one call.
 */
public final class TimedBackend implements Backend {
    private final Backend backend;
    private final Profile profile;
    private final Kernels kernels;

    private TimedBackend(Backend backend, Profile profile) {
        this.backend = backend;
        this.profile = profile;
        this.kernels = timed(backend.kernels());
    }

    /** A device whose kernels report to the profile. */
    public static Device on(Device device, Profile profile) {
        return new Device(device.type(), device.index(), new TimedBackend(device.backend(), profile));
    }

    private Kernels timed(Kernels kernels) {
        RecordComponent[] families = Kernels.class.getRecordComponents();
        try {
            Object[] timed = new Object[families.length];
            for (int i = 0; i < families.length; i++) {
                timed[i] =
                        timed(families[i].getType(), families[i].getAccessor().invoke(kernels));
            }
            Class<?>[] types =
                    Arrays.stream(families).map(RecordComponent::getType).toArray(Class<?>[]::new);
            Constructor<Kernels> constructor = Kernels.class.getConstructor(types);
            return constructor.newInstance(timed);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the kernels of " + backend.description() + " cannot be timed", e);
        }
    }

    private Object timed(Class<?> family, Object kernels) {
        return Proxy.newProxyInstance(family.getClassLoader(), new Class<?>[] {family}, (_, method, arguments) -> {
            long start = System.nanoTime();
            try {
                return method.invoke(kernels, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            } finally {
                report(family, method, arguments, System.nanoTime() - start);
            }
        });
    }

    /** Questions about a kernel, which take no tensor, do not count. */
    private void report(Class<?> family, Method method, Object[] arguments, long nanos) {
        Call call = Call.of(family, method.getName(), arguments);
        if (call.bytes() > 0) {
            profile.add(call, nanos);
        }
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public Optional<Backend> withMatmulPrecision(MatmulPrecision precision) {
        return backend.withMatmulPrecision(precision).map(other -> new TimedBackend(other, profile));
    }

    // ---- everything else is the other backend's ----

    @Override
    public String description() {
        return backend.description();
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return backend.allocate(bytes, category);
    }

    @Override
    public Storage allocate(DType dtype, long elements, MemoryCategory category) {
        return backend.allocate(dtype, elements, category);
    }

    @Override
    public MemoryLedger memory() {
        return backend.memory();
    }

    @Override
    public long capacity() {
        return backend.capacity();
    }

    @Override
    public void trim() {
        backend.trim();
    }

    @Override
    public Map<String, Double> counters() {
        return backend.counters();
    }

    @Override
    public boolean hasElements() {
        return backend.hasElements();
    }

    @Override
    public MatmulPrecision matmulPrecision() {
        return backend.matmulPrecision();
    }

    @Override
    public boolean computesIn(DType dtype) {
        return backend.computesIn(dtype);
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        backend.upload(source, target);
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        backend.download(source, target);
    }
}
