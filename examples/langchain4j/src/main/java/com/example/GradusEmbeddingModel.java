package com.example;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.store.embedding.CosineSimilarity;
import io.gradus.data.serve.TextEmbedder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A model that embeds texts, such as the output of a run with {@code task=embeddings}, for LangChain4j, in the same process. */
public final class GradusEmbeddingModel implements EmbeddingModel {
    private final TextEmbedder embedder;

    /** Loads a folder in the format of sentence-transformers. */
    public GradusEmbeddingModel(Path folder) throws IOException {
        embedder = TextEmbedder.load(folder);
    }

    /** Compares the texts {@code args[1]} and {@code args[2]} with the model in the folder {@code args[0]}. */
    public static void main(String... args) throws IOException {
        GradusEmbeddingModel model = new GradusEmbeddingModel(Path.of(args[0]));
        System.out.println(CosineSimilarity.between(
                model.embed(args[1]).content(), model.embed(args[2]).content()));
    }

    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        List<String> texts = segments.stream().map(TextSegment::text).toList();
        return Response.from(
                embedder.embed(texts).stream().map(Embedding::from).toList());
    }

    @Override
    public int dimension() {
        return embedder.dimension();
    }
}
