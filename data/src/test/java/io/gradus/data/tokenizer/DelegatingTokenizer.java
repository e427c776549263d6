package io.gradus.data.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;

/** Another tokenizer, of which a test changes a part. */
public class DelegatingTokenizer implements Tokenizer {
    private final Tokenizer other;

    public DelegatingTokenizer(Tokenizer other) {
        this.other = other;
    }

    @Override
    public int[] encode(String text) {
        return other.encode(text);
    }

    @Override
    public String decode(int[] ids) {
        return other.decode(ids);
    }

    @Override
    public int vocabSize() {
        return other.vocabSize();
    }

    @Override
    public OptionalInt bos() {
        return other.bos();
    }

    @Override
    public OptionalInt eos() {
        return other.eos();
    }

    @Override
    public boolean addsBos() {
        return other.addsBos();
    }

    @Override
    public void save(Path folder) throws IOException {
        other.save(folder);
    }
}
