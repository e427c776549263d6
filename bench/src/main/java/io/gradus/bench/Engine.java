package io.gradus.bench;

/** The library whose training step {@link StepsCommand} runs. */
enum Engine {
    GRADUS,
    LIBTORCH
}
