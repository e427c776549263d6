/** Variables, the engine that differentiates, and one class per differentiable operation. */
module io.gradus.autograd {
    requires transitive io.gradus.core;

    exports io.gradus.autograd;
    exports io.gradus.autograd.op;
}
