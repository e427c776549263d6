import io.gradus.core.BackendProvider;

/** Tensors, devices, the CPU's kernels, memory scopes, random numbers and safetensors. */
@SuppressWarnings("module") // javac does not see the modules to which kernels are exported
module io.gradus.core {
    requires transitive org.jspecify;
    requires com.fasterxml.jackson.databind;
    requires jdk.incubator.vector;
    requires jdk.management;

    exports io.gradus.core;
    exports io.gradus.core.safetensors;
    exports io.gradus.core.json to
            io.gradus.data,
            io.gradus.nn,
            io.gradus.train;
    exports io.gradus.core.cpu to
            io.gradus.train; // the number of threads
    exports io.gradus.core.kernel to
            io.gradus.autograd,
            io.gradus.bench,
            io.gradus.gpu,
            io.gradus.nn,
            io.gradus.optim,
            io.gradus.parallel;

    uses BackendProvider;
}
