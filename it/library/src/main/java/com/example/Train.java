package com.example;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.data.Documents;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Trains a network of its own with a loss and an optimizer of its own: once in one go, and once with a pause in between. */
public final class Train {
    private static final int STEPS = 40;
    private static final double LEARNING_RATE = 1e-2;

    private Train() {}

    /** @param args the folder to write into */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        Path text = folder.resolve("text.txt");
        Files.createDirectories(folder);
        Files.writeString(text, "the cat sat on the mat, and the dog sat on the log. ".repeat(60));

        Tokenizer tokenizer = new ByteTokenizer();
        Batches batches = new Batches(Blocks.pack(Documents.read(text), tokenizer, 32), 4, 42, true);
        BigramConfig config = new BigramConfig(tokenizer.vocabSize(), 32, 2, 32);

        Path start = folder.resolve("start");
        tokenizer.save(start);
        config.build(WeightSource.random(Device.cpu(), 1)).save(start);

        LanguageModel whole = LanguageModel.load(start, Device.cpu());
        System.out.println("family " + whole.getClass().getName());
        System.out.println("before " + loss(whole, batches));
        train(whole, optimizer(whole), batches, 0, STEPS);
        System.out.println("after " + loss(whole, batches));

        LanguageModel first = LanguageModel.load(start, Device.cpu());
        Optimizer optimizer = optimizer(first);
        train(first, optimizer, batches, 0, STEPS / 2);
        Path half = folder.resolve("half");
        first.save(half);
        save(optimizer.state(), half.resolve("optimizer.safetensors"));

        LanguageModel second = LanguageModel.load(half, Device.cpu());
        Optimizer resumed = optimizer(second);
        resumed.load(read(half.resolve("optimizer.safetensors")));
        train(second, resumed, batches, STEPS / 2, STEPS);
        System.out.println("resumed " + loss(second, batches));
        System.out.println("same " + sameWeights(whole, second));

        Path tuned = folder.resolve("tuned");
        tokenizer.save(tuned);
        whole.save(tuned);
        System.out.println("loaded " + loss(LanguageModel.load(tuned, Device.cpu()), batches));
    }

    private static Optimizer optimizer(LanguageModel model) {
        return new Adamax(ParameterGroups.single(model.parameters(), 0), LEARNING_RATE);
    }

    private static void train(LanguageModel model, Optimizer optimizer, Batches batches, int from, int to) {
        for (int step = from; step < to; step++) {
            try (Scope _ = Scope.open("step")) {
                Batch batch = batches.batch(step, model.device());
                optimizer.zeroGrad();
                ZLoss.of(model.forward(Input.of(batch.ids())), batch.targets()).backward();
                optimizer.step();
            }
        }
    }

    private static double loss(LanguageModel model, Batches batches) {
        try (Scope _ = Scope.open("evaluate")) {
            Batch batch = batches.batch(0, model.device());
            return model.forward(Input.of(batch.ids()))
                    .crossEntropy(batch.targets())
                    .item();
        }
    }

    private static void save(Map<String, Tensor> state, Path file) throws IOException {
        List<NamedTensor> tensors = state.entrySet().stream()
                .map(entry -> NamedTensor.of(entry.getKey(), entry.getValue()))
                .toList();
        SafetensorsWriter.write(file, tensors, Map.of());
    }

    private static Map<String, Tensor> read(Path file) throws IOException {
        Map<String, Tensor> state = new LinkedHashMap<>();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(file)) {
            for (Entry entry : checkpoint.entries()) {
                DType dtype = DType.valueOf(entry.dtype());
                state.put(entry.name(), checkpoint.read(entry.name(), Device.cpu(), dtype, MemoryCategory.WORKSPACE));
            }
        }
        return state;
    }

    private static boolean sameWeights(LanguageModel a, LanguageModel b) {
        return a.namedParameters().entrySet().stream()
                .allMatch(entry -> Arrays.equals(
                        entry.getValue().value().toFloats(),
                        b.namedParameters().get(entry.getKey()).value().toFloats()));
    }
}
