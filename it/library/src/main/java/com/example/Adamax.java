package com.example;

import io.gradus.core.Tensor;
import io.gradus.optim.InPlace;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterStep;
import java.util.List;

/** An optimizer of this program: Adamax (Kingma and Ba 2015, algorithm 2), with β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸. */
final class Adamax extends Optimizer {
    Adamax(List<ParameterGroup> groups, double learningRate) {
        super(groups, learningRate, "exp_avg", "exp_inf");
    }

    @Override
    protected void update(ParameterStep step) {
        Tensor m = step.state("exp_avg");
        Tensor u = step.state("exp_inf");
        InPlace.lerp(m, step.gradient(), 0.1);
        Tensor size = InPlace.copy(step.gradient());
        InPlace.abs(size);
        InPlace.scale(u, 0.999);
        InPlace.maximum(u, size);
        Tensor denominator = InPlace.copy(u);
        InPlace.add(denominator, 1e-8);
        double rate = step.learningRate() / (1 - Math.pow(0.9, step.number()));
        InPlace.addQuotient(step.weight(), m, denominator, -rate);
    }
}
