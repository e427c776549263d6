package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Autograd;
import io.gradus.core.Device;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Tensor;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RotaryTablesTest {
    private static final int MILLION = 1_000_000;

    private static LlamaConfig config(int context) {
        return LlamaConfig.of(11, 12, 20, 1, 3, 3, context);
    }

    private static RotaryTables tables(int context) {
        return new RotaryTables(Device.cpu(1), config(context).settings().rope(), context);
    }

    private static Input input(int... positions) {
        Tensor ids = Given.ids(1, new int[positions.length]);
        return new Input(ids, Tensor.of(positions, 1, positions.length), null, null);
    }

    private static long rows(RotaryTable table) {
        return table.cos().shape().get(0);
    }

    @Test
    void tableHasTheRowsOfTheInputAndDoublesWhenTheTextGrowsByAToken() {
        RotaryTables tables = tables(MILLION);
        RotaryTable first = tables.covering(input(0, 1, 2));
        assertThat(rows(first)).isEqualTo(3);
        assertThat(tables.covering(input(0, 1))).isSameAs(first);
        assertThat(rows(tables.covering(input(0, 1, 2, 3)))).isEqualTo(6);
        assertThat(rows(tables.covering(input(0, 1, 2, 3, 4, 5, 6, 7)))).isEqualTo(8);
        assertThat(rows(tables.covering(Input.of(Given.ids(1, new int[100]))))).isEqualTo(100);
    }

    @Test
    void positionsFarBeyondTheNumberOfTokensAreCovered() {
        assertThat(rows(tables(MILLION).covering(input(70, 71)))).isEqualTo(72);
    }

    @Test
    void tableEndsWithTheContext() {
        RotaryTables tables = tables(5);
        assertThat(rows(tables.covering(input(0, 1, 2)))).isEqualTo(3);
        assertThat(rows(tables.covering(input(0, 1, 2, 3)))).isEqualTo(5);
        Llama model = new Llama(config(5), Given.weights());
        assertThatThrownBy(() -> model.forward(input(0, 5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("position 5 is not in a table of 5")
                .hasMessageContaining("max_position_embeddings");
    }

    @Test
    void grownTableRotatesByTheSameAngles() {
        Llama grown = Given.randomized(new Llama(config(MILLION), Given.weights()));
        Llama fresh = Given.randomized(new Llama(config(MILLION), Given.weights()));
        grown.forward(Input.of(Given.ids(1, 1, 2)));
        Input input = Input.of(Given.ids(1, 1, 2, 3, 4, 5, 6, 7, 8, 9));
        assertThat(grown.forward(input).value().toFloats())
                .isEqualTo(fresh.forward(input).value().toFloats());
    }

    /** A table for the whole context would have 32 MB, and a cache for it 96 MB. */
    @Test
    void generationWithAMillionPositionsUsesMemoryForItsTokens() {
        Device device = Device.cpu(1);
        MemoryLedger memory = device.backend().memory();
        Llama model = new Llama(config(MILLION), WeightSource.random(device, 1));
        long weights = memory.live();
        var generation = new TextGeneration(Sampling.GREEDY, 20, Set.of(), true);
        int[] generated =
                generation.generate(model, new int[] {1, 2, 3}, _ -> {}).ids();
        assertThat(generated).hasSize(20);
        assertThat(memory.peak() - weights).isLessThan(20_000);

        KeyValueCache cache = model.newCache(MILLION);
        Autograd.noGrad(() -> model.forward(Input.next(Tensor.of(device, new int[3], 1, 3), cache)));
        assertThat(memory.peak() - weights).isLessThan(20_000);
    }

    @Test
    void metaDeviceCountsTheTableOfTheCpu() {
        Device meta = Device.meta();
        long before = meta.backend().memory().live();
        RotaryTable table = RotaryTable.of(meta, MILLION, new Rope(10_000, null, 4));
        assertThat(meta.backend().memory().live() - before).isEqualTo(2L * MILLION * 2 * 4);
        assertThat(rows(table)).isEqualTo(MILLION);
    }
}
