package io.gradus.train.study;

import io.gradus.core.Device;
import io.gradus.core.cpu.CpuBackend;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.tokenizer.WordVocabulary;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.awdlstm.AwdLstmConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The three stages of ULMFiT (Howard &amp; Ruder 2018, section 3) as recipes. Slanted triangular learning rates are used in all of
 * them, and rates that are divided by 2.6 from layer to layer in the last. They are not in stage 2: the embedding table is also the
 * output layer, so the lowest rate would be that of the output layer too.
 *
 * @param folder of all runs
 * @param runs starts the run of a recipe
 */
record UlmfitStages(
        UlmfitStudy.Settings settings,
        WordVocabulary vocabulary,
        Path folder,
        Function<Recipe, FineTuning.Builder> runs) {
    /** Relative to fastai's dropouts, for a network that is smaller than the paper's. */
    private static final double LANGUAGE_MODEL_DROPOUT = 0.5;

    private static final double CLASSIFIER_DROPOUT = 0.5;

    private static final int CLASSIFIER_BATCH = 32;
    private static final int LEAST_STEPS = 240;
    private static final int EPOCHS = 3;

    /** The decay rates of Adam in the paper. */
    private static final List<String> COMMON = List.of(
            "optimizer=adamw",
            "beta1=0.7",
            "beta2=0.99",
            "schedule=slanted_triangular",
            "check_first_loss=false",
            "save_steps=0",
            "sample.max_tokens=0",
            "eval_steps=1000000");

    private static final List<String> DISCRIMINATIVE = List.of("layer_decay=0.3846");

    /** The number of words in the vocabulary. */
    int words() {
        return vocabulary.size();
    }

    private AwdLstmConfig config() {
        UlmfitStudy.Network sizes = settings.network();
        AwdLstmConfig config = AwdLstmConfig.of(vocabulary.size(), sizes.embSz(), sizes.nHid(), sizes.nLayers());
        ConfigJson json = config.withDropMult(LANGUAGE_MODEL_DROPOUT)
                .toJson()
                .set("pad_token", WordVocabulary.PADDING)
                .set("eos_token_id", WordVocabulary.END);
        return AwdLstmConfig.read(json);
    }

    /** A new network with its tokenizer. */
    Path untrained() throws IOException {
        Path target = folder.resolve("untrained");
        if (!Files.exists(target)) {
            config().build(WeightSource.random(Device.cpu(), settings.seed())).save(target);
            vocabulary.save(target);
        }
        return target;
    }

    /** Stage 1: a language model of general text. */
    RunResult pretrain(Path text, Path heldOut) throws IOException {
        return languageModel("pretrained", untrained(), text, heldOut, settings.pretrainEpochs());
    }

    /** Stage 2: the language model of the task. */
    RunResult tune(Path model, Path text, Path heldOut) throws IOException {
        return languageModel("tuned", model, text, heldOut, settings.tuneEpochs());
    }

    private RunResult languageModel(String name, Path model, Path text, Path heldOut, double epochs)
            throws IOException {
        List<String> keys = List.of(
                "data.packing=contiguous",
                "data.max_seq_len=48",
                "batch_size=24",
                "loss_chunk_size=0",
                "epochs=" + epochs,
                "learning_rate=0.008");
        return run(name, model, text, heldOut, keys);
    }

    /**
     * The weights of a language model with the dropouts of fastai's {@code awd_lstm_clas_config}, in a folder of their own. A run
     * adds the layers of the classifier.
     */
    Path classifierFrom(Path model, String name) throws IOException {
        Path target = Files.createDirectories(folder.resolve(name));
        for (String file : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(model.resolve(file), target.resolve(file));
        }
        AwdLstmConfig config = AwdLstmConfig.read(ConfigJson.read(model))
                .withDropouts(0.4, 0.3, 0.4, 0.05, 0.5)
                .withDropMult(CLASSIFIER_DROPOUT);
        AtomicFile.write(target.resolve(ConfigJson.FILE), config.toJson() + "\n");
        return target;
    }

    /**
     * Stage 3: a classifier.
     *
     * @param pretrained whether the weights are those of a language model: then the layers learn at rates of their own, and
     *     are unfrozen one after the other, from the last one
     */
    RunResult classify(Path model, Path train, Path test, int labels, boolean pretrained) throws IOException {
        int epoch = Math.ceilDiv(labels, CLASSIFIER_BATCH);
        int steps = Math.max(LEAST_STEPS, EPOCHS * epoch);
        List<String> keys = new ArrayList<>(List.of(
                "task=sequence_classification",
                "data.max_seq_len=48",
                "batch_size=" + CLASSIFIER_BATCH,
                "steps=" + steps,
                "learning_rate=0.01"));
        if (pretrained) {
            keys.addAll(DISCRIMINATIVE);
            // all layers are trained in the last third
            keys.add("gradual_unfreeze_steps="
                    + Math.max(1, 2 * steps / 3 / (settings.network().nLayers() + 1)));
        }
        return run((pretrained ? "tuned-" : "scratch-") + labels, model, train, test, keys);
    }

    private RunResult run(String name, Path model, Path text, Path heldOut, List<String> keys) throws IOException {
        int threads = settings.threads() == null ? CpuBackend.defaultThreads() : settings.threads();
        List<String> all = new ArrayList<>(COMMON);
        all.addAll(keys);
        all.add("model.path=" + model);
        all.add("data.train=" + text);
        all.add("data.eval=" + heldOut);
        all.add("output=" + folder.resolve(name));
        all.add("seed=" + settings.seed());
        all.add("threads=" + threads);
        Recipe recipe = Recipe.builder().build().with(all.toArray(String[]::new));
        return runs.apply(recipe).build().run();
    }
}
