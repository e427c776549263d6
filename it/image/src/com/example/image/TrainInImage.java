package com.example.image;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Losses;
import io.gradus.nn.Mlp;
import io.gradus.nn.WeightSource;
import io.gradus.optim.AdamW;
import io.gradus.optim.ParameterGroups;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Trains a network of three layers to tell two interleaved spirals apart, saves it and loads it again. */
public final class TrainInImage {
    private static final int POINTS = 128;

    private TrainInImage() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[0]);
        float[] coordinates = new float[2 * POINTS];
        float[] labels = new float[POINTS];
        for (int i = 0; i < POINTS; i++) {
            double radius = 0.2 + 0.8 * i / POINTS;
            double angle = 6 * radius + (i % 2) * Math.PI;
            coordinates[2 * i] = (float) (radius * Math.cos(angle));
            coordinates[2 * i + 1] = (float) (radius * Math.sin(angle));
            labels[i] = i % 2 == 0 ? -1 : 1;
        }
        Variable points = Variable.constant(Tensor.of(coordinates, POINTS, 2));
        Variable targets = Variable.constant(Tensor.of(labels, POINTS, 1));

        Mlp network = new Mlp(WeightSource.random(Device.cpu(), 1), true, 2, 32, 32, 1);
        AdamW optimizer = new AdamW(ParameterGroups.single(network.parameters(), 0), 1e-2);
        System.out.println("before " + loss(network, points, targets));
        for (int step = 0; step < 400; step++) {
            try (Scope _ = Scope.open("step")) {
                optimizer.zeroGrad();
                Losses.mseLoss(network.forward(points), targets).backward();
                optimizer.step();
            }
        }
        System.out.println("after " + loss(network, points, targets));

        List<NamedTensor> weights = network.namedParameters().entrySet().stream()
                .map(parameter ->
                        NamedTensor.of(parameter.getKey(), parameter.getValue().value()))
                .toList();
        SafetensorsWriter.write(file, weights, Map.of("format", "pt"));
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            Mlp loaded = new Mlp(WeightSource.from(checkpoint, Device.cpu()), true, 2, 32, 32, 1);
            System.out.println("loaded " + loss(loaded, points, targets));
        }
    }

    private static double loss(Mlp network, Variable points, Variable targets) {
        try (Scope _ = Scope.open("evaluate")) {
            return Losses.mseLoss(network.forward(points), targets).item();
        }
    }
}
