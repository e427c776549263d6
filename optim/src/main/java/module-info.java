/** Optimizers, learning rate schedules, parameter groups, gradient clipping and penalties. */
module io.gradus.optim {
    requires transitive io.gradus.autograd;

    exports io.gradus.optim;
}
