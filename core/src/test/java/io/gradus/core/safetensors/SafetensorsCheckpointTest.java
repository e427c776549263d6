package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A folder is one checkpoint; it is rejected if its files disagree. */
class SafetensorsCheckpointTest {
    @TempDir
    private Path folder;

    private Path shard(String name, String... tensors) throws IOException {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        for (int i = 0; i < tensors.length; i++) {
            header.append(',').append(RawFile.tensor(tensors[i], "F32", "[1]", 4L * i, 4L * i + 4));
        }
        return RawFile.write(folder.resolve(name), header.append('}').toString(), 4 * tensors.length);
    }

    private Path index(String weightMap) throws IOException {
        return Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"metadata\":{\"total_size\":8,\"deep\":[[{}]]},\"weight_map\":" + weightMap + "}");
    }

    /** Errors name the invalid file in the folder. */
    private String refusal() {
        return RawFile.refusal(folder);
    }

    @Test
    void shardsAreReadAsOneCheckpoint() throws IOException {
        shard("model-00001-of-00002.safetensors", "b", "a");
        shard("model-00002-of-00002.safetensors", "c");
        Path index = index("{\"a\":\"model-00001-of-00002.safetensors\",\"b\":\"model-00001-of-00002.safetensors\","
                + "\"c\":\"model-00002-of-00002.safetensors\"}");
        for (Path path : new Path[] {folder, index}) {
            try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
                assertThat(checkpoint.names()).containsExactly("b", "a", "c");
                assertThat(checkpoint.entries()).extracting(Entry::name).containsExactly("b", "a", "c");
                assertThat(checkpoint.files()).hasSize(2);
                assertThat(checkpoint.metadata()).containsEntry("format", "pt");
                assertThat(checkpoint.contains("c")).isTrue();
                assertThat(checkpoint.contains("d")).isFalse();
                assertThat(RawFile.readAll(checkpoint)).hasSize(3);
                assertThatThrownBy(() -> checkpoint.entry("d"))
                        .isInstanceOf(SafetensorsException.class)
                        .hasMessageContaining("it has no tensor 'd'; it has b, a, c");
            }
        }
    }

    @Test
    void tensorMissingFromTheIndexIsRead() throws IOException {
        shard("one.safetensors", "a", "b");
        index("{\"a\":\"one.safetensors\"}");
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("a", "b");
        }
    }

    @Test
    void singleFileTakesPrecedenceOverIndex() throws IOException {
        shard("model.safetensors", "a");
        index("{\"a\":\"gone.safetensors\"}");
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.path()).isEqualTo(folder.resolve("model.safetensors"));
        }
    }

    @Test
    void missingShardIsReported() throws IOException {
        shard("one.safetensors", "a");
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        assertThat(refusal()).contains("index.json: it names the shard two.safetensors, which is not in the folder");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../one.safetensors",
                "..\\\\one.safetensors",
                "/tmp/one.safetensors",
                "sub/one.safetensors",
                "C:one.safetensors",
                "a\\u0000.safetensors"
            })
    void shardOutsideTheFolderIsRejected(String shard) throws IOException {
        shard("one.safetensors", "a");
        index("{\"a\":\"" + shard + "\"}");
        assertThat(refusal()).contains("the shard of 'a' is '").contains("which is not a plain file name");
    }

    @Test
    void shardMayBeASymbolicLink(@TempDir Path cache) throws IOException {
        Path blob = Files.move(shard("one.safetensors", "a"), cache.resolve("0123abcd"));
        Files.createSymbolicLink(folder.resolve("one.safetensors"), blob);
        index("{\"a\":\"one.safetensors\"}");
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("a");
        }
    }

    @Test
    void shardNameThatTheLocaleCannotEncodeIsReported() throws Exception {
        index("{\"a\":\"größe.safetensors\"}");
        ProcessBuilder java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        OpenFolder.class.getName(),
                        folder.toString())
                .redirectErrorStream(true);
        java.environment().put("LC_ALL", "C");
        Process process = java.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        assumeFalse(output.contains("which is not in the folder"), "this system has UTF-8 file names in every locale");
        assertThat(output)
                .contains("model.safetensors.index.json: it names the shard gr")
                .contains("set the environment variable LC_ALL to C.UTF-8");
    }

    /** Prints the error of opening a folder. */
    static final class OpenFolder {
        public static void main(String[] arguments) {
            System.out.println(RawFile.refusal(Path.of(arguments[0])));
        }
    }

    @Test
    void shardNameThatNoFileCanHaveIsReported() throws IOException {
        index("{\"a\":\"\\ud800.safetensors\"}");
        assertThat(refusal()).contains("it names the shard ");
    }

    @Test
    void tensorMissingFromItsShardIsReported() throws IOException {
        shard("one.safetensors", "a");
        shard("two.safetensors", "b");
        index("{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}");
        assertThat(refusal()).contains("the shard two.safetensors has the tensor 'c', but it does not");
        index("{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\"}");
        assertThat(refusal()).contains("but it does not");
    }

    @Test
    void tensorInTwoShardsIsReported() throws IOException {
        shard("one.safetensors", "a");
        shard("two.safetensors", "b", "a");
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        assertThat(refusal()).contains("the tensor 'a' is in two shards, one.safetensors and two.safetensors");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                    | its weight_map is missing or empty",
                "[]                    | weight_map should be an object and is an array",
                "{\"a\":1}             | the shard of 'a' should be a string and is a whole number",
                "{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"} | weight_map has the name 'a' twice",
                "{\"a\":\"x.bin\"}     | which is not a .safetensors file; convert it in Python",
                "{                     | the index is not valid JSON",
            })
    void malformedIndexIsRejected(String weightMap, String reason) throws IOException {
        index(weightMap);
        assertThat(refusal()).contains(reason);
    }

    @Test
    void deeplyNestedIndexIsRejected() throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), "{\"metadata\":" + "[".repeat(500_000));
        assertThat(refusal()).contains("the index is not valid JSON");
    }

    @Test
    void corruptedShardIsReported() throws IOException {
        Files.writeString(folder.resolve("one.safetensors"), "short");
        index("{\"a\":\"one.safetensors\"}");
        assertThat(refusal()).contains("one.safetensors: it has 5 bytes");
    }

    @Test
    void pickleIsRejectedWithConversionHint() throws IOException {
        Path pickle = Files.writeString(folder.resolve("pytorch_model.bin"), "pickle");
        assertThat(refusal())
                .contains("neither model.safetensors nor model.safetensors.index.json")
                .contains("it has pytorch_model.bin, but only safetensors are read")
                .contains("save_pretrained(new_folder, safe_serialization=True)");
        assertThat(RawFile.refusal(pickle))
                .contains("only safetensors are read")
                .contains("safe_serialization=True");
    }

    @Test
    void emptyOrMissingFolderIsRejected() throws IOException {
        assertThat(refusal()).contains("it is empty; check the path, or whether the download is complete");
        Files.writeString(folder.resolve("README.md"), "");
        assertThat(refusal()).contains("index.json; check the path, or whether the download is complete");
        assertThat(RawFile.refusal(folder.resolve("nowhere"))).contains("there is no such file; check the path");
        assertThat(RawFile.refusal(folder.resolve("x.index.json"))).contains("there is no such file; check the path");
        shard("weights.safetensors", "a");
        assertThat(refusal()).contains("to read weights.safetensors, give the path of that file");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            adapter_config.json adapter_model.safetensors config.json | a PEFT adapter, such as LoRA, without its base model
            adapter_model.bin                             | a PEFT adapter, such as LoRA, without its base model
            model_index.json unet/config.json             | a diffusers pipeline, which is not a language model
            config.json model.safetensors.incomplete      | a download was interrupted
            model-00001-of-00002.safetensors              | a shard, but lacks model.safetensors.index.json
            params.json consolidated.00.pth tokenizer.model | the format of Meta's and Mistral's own programs
            params.json consolidated.safetensors          | the format of Meta's and Mistral's own programs
            openvino_model.bin openvino_model.xml         | the OpenVINO format
            modules.json 1_Pooling/config.json            | a sentence-transformers model
            llama-Q4_K_M.gguf                             | the format of llama.cpp; use the original model
            config.json onnx/model.onnx                   | the ONNX format, which cannot be trained
            config.json model.onnx model.onnx_data        | the ONNX format, which cannot be trained
            config.json pytorch_model-00001-of-00002.bin  | only safetensors are read, because a pickle can run code
            config.json pytorch_model.bin.index.json      | only safetensors are read, because a pickle can run code
            config.json tf_model.h5                       | the format of another program; use the original model
            config.json weights.npz                       | the format of another program; use the original model
            training_args.bin checkpoint-500/config.json checkpoint-1000/config.json | it has a model in FOLDER/checkpoint-1000; name that folder
            refs/main snapshots/1a2b/config.json          | it has a model in FOLDER/snapshots/1a2b; name that folder
            """)
    void folderOfAnotherFormatIsNamed(String files, String explanation) throws IOException {
        for (String name : files.split(" ")) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "");
        }
        assertThat(refusal()).contains(explanation.replace("FOLDER", folder.toString()));
    }

    @Test
    void danglingLinkIsNamedWithItsTarget() throws IOException {
        Files.createSymbolicLink(folder.resolve("model.safetensors"), Path.of("../blobs/1a2b"));
        assertThat(refusal())
                .contains(
                        "model.safetensors is a symbolic link to ../blobs/1a2b, which is missing; download the model");
    }

    @Test
    void pretrainedModelIsRead() throws IOException {
        Path model = Path.of(System.getProperty("gradus.shared", "../../shared"), "models/stories260K");
        assumeTrue(Files.isDirectory(model), "the model " + model + " is not here");
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(model)) {
            assertThat(checkpoint.names()).hasSize(47);
            Tensor embedding =
                    checkpoint.read("model.embed_tokens.weight", Device.cpu(), DType.F32, MemoryCategory.WEIGHTS);
            assertThat(embedding.shape()).isEqualTo(Shape.of(512, 64));
            long parameters = 0;
            for (String name : checkpoint.names()) {
                float[] values = checkpoint
                        .read(name, Device.cpu(), DType.F32, MemoryCategory.WEIGHTS)
                        .toFloats();
                parameters += values.length;
                double squares = 0;
                for (float value : values) {
                    squares += value * value;
                }
                assertThat(squares / values.length).as(name).isFinite().isBetween(1e-6, 100.0);
            }
            assertThat(parameters).isBetween(250_000L, 270_000L);
        }
    }
}
