package io.gradus.bench;

/** Whose training step a process of its own runs. */
enum Engine {
    GRADUS,
    LIBTORCH
}
