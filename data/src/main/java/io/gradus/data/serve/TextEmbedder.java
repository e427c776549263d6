package io.gradus.data.serve;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.data.Batches.Batch;
import io.gradus.data.ExampleEncoder;
import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.data.PaddedBatches;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Turns texts into vectors whose cosines say how alike the texts are (Reimers &amp; Gurevych 2019): a folder of sentence-transformers,
 * or of any encoder. Thread-safe: threads may share one.
 *
 * {@snippet :
 * TextEmbedder embedder = TextEmbedder.load(Path.of("all-MiniLM-L6-v2"));
 * float[] question = embedder.embed("Who wrote Faust?");
 * List<float[]> answers = embedder.embed(List.of("Goethe did.", "It rains."));
 * double cosine = TextEmbedder.cosine(question, answers.getFirst());
 * }
 */
public final class TextEmbedder {

    private final PretrainedModel model;
    private final ExampleEncoder encoder;
    private final EmbedderSettings settings;

    private TextEmbedder(PretrainedModel model, ExampleEncoder encoder, EmbedderSettings settings) {
        this.model = model;
        this.encoder = encoder;
        this.settings = settings;
        model.eval();
    }

    /** {@link #load(Path, Device)} on the CPU. */
    public static TextEmbedder load(Path folder) throws IOException {
        return load(folder, Device.cpu());
    }

    /**
     * Loads a folder.
     *
     * @throws IOException if a file is missing or malformed, or has what is not supported; the message names it
     */
    public static TextEmbedder load(Path folder, Device device) throws IOException {
        ModelFolder network = ModelFolder.open(folder).withHead(new Head.None());
        EmbedderSettings settings = EmbedderSettings.read(network.path());
        PretrainedModel model = network.loadModel(device, DType.F32);
        int length = settings.maxLength() == null
                ? model.contextLength()
                : Math.min(settings.maxLength(), model.contextLength());
        return new TextEmbedder(
                model, new ExampleEncoder(Tokenizer.load(network.path()), length, Truncation.HEAD), settings);
    }

    /** How texts become vectors. */
    public EmbedderSettings settings() {
        return settings;
    }

    /** The number of elements of a vector. */
    public int dimension() {
        return model.config().hiddenSize();
    }

    /** The vector of a text. */
    public float[] embed(String text) {
        return embed(List.of(text)).getFirst();
    }

    /** The vectors of texts, several at a time. Texts of like lengths go together, so that few tokens are padding. */
    public List<float[]> embed(List<String> texts) {
        List<EncodedText> encoded = texts.stream().map(this::encode).toList();
        return LengthBatches.map(encoded, text -> text.ids().length, this::vectors);
    }

    private EncodedText encode(String text) {
        return encoder.encode(settings.text(text), null).windows().getFirst();
    }

    private List<float[]> vectors(List<EncodedText> texts) {
        try (Scope _ = Scope.open("embed")) {
            Batch batch = PaddedBatches.input(texts.stream().map(List::of).toList(), encoder.pad(), model.device());
            Variable vectors = Autograd.noGrad(() -> pooled(batch));
            float[] all = vectors.value().toFloats();
            int dimension = all.length / texts.size();
            return IntStream.range(0, texts.size())
                    .mapToObj(row -> Arrays.copyOfRange(all, row * dimension, (row + 1) * dimension))
                    .toList();
        }
    }

    private Variable pooled(Batch batch) {
        Variable pooled = settings.pooling().of(model.hiddenStates(batch.input()), batch.attentionMask());
        return settings.normalize() ? Pooling.normalized(pooled) : pooled;
    }

    /** The cosine of the angle between two vectors: 1 if they point in the same direction; 0 if one of them is 0. */
    public static double cosine(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "cosine: the vectors have " + a.length + " and " + b.length + " elements; use one model for both");
        }
        double product = 0;
        double ofA = 0;
        double ofB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            ofA += (double) a[i] * a[i];
            ofB += (double) b[i] * b[i];
        }
        return ofA == 0 || ofB == 0 ? 0 : product / Math.sqrt(ofA * ofB);
    }
}
