package io.gradus.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.train.delta.Change;
import io.gradus.train.delta.Delta;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Implements {@code gradus delta info}. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = {
            "Prints how much each layer changed.",
            "Each row shows the norm of the change, the largest change of a single number, the norm relative to the"
                    + " norm of the base weights, and the share of numbers that still differ after rounding to BF16.",
            "This command reads only the header of FILE."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus delta info shakespeare.safetensors",
            "  ./gradus delta info shakespeare.safetensors --by tensor",
            "  ./gradus delta info shakespeare.safetensors --json"
        })
final class DeltaInfoCommand implements Callable<Integer> {
    /** What one row of the table describes. */
    enum Grouping {
        LAYER,
        TENSOR
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "A delta, written by ./gradus delta diff.")
    private Path file = Path.of("");

    @Option(
            names = "--by",
            paramLabel = "layer|tensor",
            description = "Print one row per layer or per tensor. Default: layer.",
            converter = GroupingConverter.class,
            defaultValue = "layer")
    private Grouping by = Grouping.LAYER;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        Delta delta = Delta.read(file);
        SequencedMap<String, Change> changes = by == Grouping.TENSOR ? delta.byTensor() : delta.byLayer();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(toJson(delta, changes)));
        } else {
            DeltaTable table = new DeltaTable(delta, Terminal.of(spec).width());
            table.summary().forEach(out::println);
            out.println();
            table.rows(by.name().toLowerCase(Locale.ROOT), changes).forEach(out::println);
        }
        out.flush();
        return 0;
    }

    private ObjectNode toJson(Delta delta, SequencedMap<String, Change> changes) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("file", delta.file().toString());
        root.putObject("base")
                .put("name", delta.base().name())
                .put("sha256", delta.base().sha256());
        root.putObject("tuned")
                .put("name", delta.tuned().name())
                .put("sha256", delta.tuned().sha256());
        root.put("dtype", delta.dtypes());
        ArrayNode files = root.putArray("files");
        delta.files().forEach(changed -> files.add(changed.name()));
        root.set("total", toJson(delta.total()));
        ObjectNode rows = root.putObject(by == Grouping.TENSOR ? "tensors" : "layers");
        for (Map.Entry<String, Change> change : changes.entrySet()) {
            rows.set(change.getKey(), toJson(change.getValue()));
        }
        return root;
    }

    private static ObjectNode toJson(Change change) {
        ObjectNode json = new ObjectMapper()
                .createObjectNode()
                .put("numbers", change.numbers())
                .put("changed", change.changed())
                .put("changed_bf16", change.changedBf16())
                .put("norm", change.norm())
                .put("base_norm", Math.sqrt(change.baseSquares()))
                .put("largest", change.largest());
        if (Double.isFinite(change.relativeNorm())) {
            json.put("relative_norm", change.relativeNorm());
        } else {
            json.putNull("relative_norm");
        }
        return json;
    }

    /** Accepts lowercase values, as documented. */
    static final class GroupingConverter implements ITypeConverter<Grouping> {
        @Override
        public Grouping convert(String value) {
            return switch (value) {
                case "layer" -> Grouping.LAYER;
                case "tensor" -> Grouping.TENSOR;
                default -> throw new TypeConversionException("'" + value + "' is not layer or tensor");
            };
        }
    }
}
