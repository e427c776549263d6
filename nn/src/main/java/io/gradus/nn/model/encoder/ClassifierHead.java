package io.gradus.nn.model.encoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Dropout;
import io.gradus.nn.Linear;
import org.jspecify.annotations.Nullable;

/** Scores of labels: a linear layer after dropout. By itself it classifies each token. */
public class ClassifierHead extends EncoderHead {
    private final Dropout dropout;
    private final Linear classifier;

    /** A head with the layers of a family. */
    public ClassifierHead(Dropout dropout, Linear classifier) {
        this.dropout = register("dropout", dropout);
        this.classifier = register(classifier);
    }

    @Override
    protected Variable features(Variable states, Texts texts) {
        return dropout.forward(states);
    }

    @Override
    protected final Variable weight() {
        return classifier.weight();
    }

    @Override
    protected final @Nullable Variable bias() {
        return classifier.bias();
    }
}
