package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.nn.model.ConfigKey.Use;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each key of a family's table does what the table says, compared with transformers. */
class ConfigTableTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double TOLERANCE = 1e-5;

    @TempDir
    private Path folder;

    /** All that have a table. */
    static Stream<String> families() {
        return ServiceLoader.load(ModelFamily.class).stream()
                .map(ServiceLoader.Provider::get)
                .flatMap(family -> family.modelTypes().stream()
                        .filter(type -> !family.keys(type).isEmpty()))
                .sorted();
    }

    private static Set<String> keys(String family, Use use) {
        ConfigJson type = new ConfigJson().set("model_type", family);
        List<ConfigKey> own = ModelFamily.of(type).keys(family);
        Set<String> names = own.stream().map(ConfigKey::name).collect(Collectors.toSet());
        return Stream.concat(own.stream(), ConfigKey.COMMON.stream().filter(key -> !names.contains(key.name())))
                .filter(key -> key.use() == use)
                .map(ConfigKey::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @ParameterizedTest
    @MethodSource("families")
    void everyKeyOfTheClassInTransformersIsInTheTable(String family) throws IOException {
        Set<String> table = new TreeSet<>();
        for (Use use : Use.values()) {
            table.addAll(keys(family, use));
        }
        assertThat(table).containsAll(ConfigFixture.of(family).keys());
    }

    // ---- honored ----

    static Stream<ConfigFixture.Case> cases() throws IOException {
        Stream<ConfigFixture.Case> cases = Stream.empty();
        for (String family : families().toList()) {
            cases = Stream.concat(cases, ConfigFixture.of(family).cases().stream());
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void honoredKeysGiveTheResultsOfTransformers(ConfigFixture.Case each) throws IOException {
        assertThat(each.worstError(folder)).isLessThanOrEqualTo(TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void writtenConfigurationReadsTheSame(ConfigFixture.Case each) {
        ConfigJson json = ConfigJson.parse(each.fixture().config(each.set()));
        ModelConfig config = ModelFamily.of(json).read(json);
        ConfigJson written = config.toJson();
        assertThat(ModelFamily.of(written).read(written)).isEqualTo(config);
        assertThat(written.unreadKeys()).isEmpty();
    }

    /** And each setting of rotary positions has one in the spelling of transformers 4 and one in that of 5. */
    @ParameterizedTest
    @MethodSource("families")
    void everyHonoredKeyHasACase(String family) throws IOException {
        Set<String> covered = new HashSet<>();
        for (ConfigFixture.Case each : ConfigFixture.of(family).cases()) {
            each.set().properties().forEach(entry -> {
                covered.add(entry.getKey());
                entry.getValue().properties().forEach(inner -> covered.add(entry.getKey() + "." + inner.getKey()));
            });
        }
        Set<String> expected = new TreeSet<>(keys(family, Use.HONORED));
        for (String key : keys(family, Use.HONORED)) {
            if (key.startsWith("rope_parameters.") && !key.endsWith("_attention")) {
                expected.add(key.replace("rope_parameters.", "rope_scaling."));
            }
        }
        assertThat(covered).containsAll(expected);
    }

    // ---- harmless ----

    /** Their values change nothing in transformers: {@code generate.py} checks it. */
    @ParameterizedTest
    @MethodSource("families")
    void harmlessKeysChangeNothing(String family) throws IOException {
        ConfigFixture fixture = ConfigFixture.of(family);
        Set<String> table = keys(family, Use.HARMLESS);
        table.remove("model_type");
        table.remove("rope_parameters.partial_rotary_factor"); // has a case among the honored ones
        assertThat(fixture.harmless().keySet()).isEqualTo(table);
        fixture.write(folder, JSON.createObjectNode(), 0);
        ConfigFixture.Results expected = fixture.results(folder, false, "");
        for (Map.Entry<String, JsonNode> value : fixture.harmless().entrySet()) {
            JsonNode change = JSON.createObjectNode().set(value.getKey(), value.getValue());
            fixture.write(folder, change, 0);
            assertThat(fixture.results(folder, false, ""))
                    .as("%s", change)
                    .usingRecursiveComparison()
                    .isEqualTo(expected);
            ConfigJson json = ConfigJson.parse(fixture.config(change));
            ModelFamily.of(json).read(json);
            assertThat(json.unreadKeys()).as("unknown keys").isEmpty();
        }
    }

    // ---- rejected ----

    @ParameterizedTest
    @MethodSource("families")
    void rejectedKeysAreNamed(String family) throws IOException {
        ConfigFixture fixture = ConfigFixture.of(family);
        assertThat(fixture.rejected().keySet()).isEqualTo(keys(family, Use.REJECTED));
        for (Map.Entry<String, JsonNode> value : fixture.rejected().entrySet()) {
            JsonNode change = JSON.createObjectNode().set(value.getKey(), value.getValue());
            fixture.write(folder, change, 0);
            assertThatThrownBy(() -> ModelFolder.open(folder).config())
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(folder.resolve("config.json") + ": " + value.getKey() + " is ");
            ConfigJson json = ConfigJson.parse(fixture.config(change));
            assertThatThrownBy(() -> ModelFamily.of(json).read(json))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("config.json: " + value.getKey() + " is " + value.getValue()
                            + ", which is not supported: ");
        }
    }
}
