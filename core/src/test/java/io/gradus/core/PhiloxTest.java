package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class PhiloxTest {

    /** The test vectors published with Random123. */
    @Test
    void philoxMatchesPublishedTestVectors() {
        assertThat(philox(0, 0, 0, 0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        assertThat(philox(-1, -1, -1, -1, -1, -1)).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        assertThat(philox(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))
                .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    private static int[] philox(int k0, int k1, int c0, int c1, int c2, int c3) {
        int[] words = new int[4];
        Philox.philox(((k1 & 0xFFFFFFFFL) << 32) | (k0 & 0xFFFFFFFFL), c0, c1, c2, c3, words);
        return words;
    }

    @Test
    void numbersDifferBySeedStepPlaceAndBlock() {
        Set<Long> seen = new HashSet<>();
        int[] words = new int[4];
        for (long seed : new long[] {0, 1, 1L << 32}) {
            for (int step = 0; step < 3; step++) {
                for (int place = 0; place < 3; place++) {
                    for (long block : new long[] {0, 1, 1L << 32}) {
                        Philox.block(new Philox.Key(seed, step, place), block, words);
                        seen.add(((long) words[0] << 32) | (words[1] & 0xFFFFFFFFL));
                    }
                }
            }
        }
        assertThat(seen).hasSize(81);
    }

    @Test
    void uniformNumbersAreInZeroToOne() {
        assertThat(Philox.uniform(0)).isZero();
        assertThat(Philox.uniform(0xFF)).isZero();
        assertThat(Philox.uniform(0x100)).isEqualTo(0x1p-24f);
        assertThat(Philox.uniform(-1)).isEqualTo(1 - 0x1p-24f);
        assertThat(Philox.uniform(0x8000_0000)).isEqualTo(0.5f);
    }

    /** 200,000 numbers in 16 bins: χ² with 15 degrees of freedom is below 37.7 with probability 0.999. */
    @Test
    void uniformNumbersPassChiSquaredTest() {
        int[] bins = new int[16];
        int[] words = new int[4];
        Philox.Key key = new Philox.Key(42, 0, 0);
        for (long block = 0; block < 50_000; block++) {
            Philox.block(key, block, words);
            for (int word : words) {
                bins[(int) (Philox.uniform(word) * 16)]++;
            }
        }
        double chiSquare = 0;
        for (int bin : bins) {
            chiSquare += (bin - 12_500.0) * (bin - 12_500.0) / 12_500;
        }
        assertThat(chiSquare).isLessThan(37.7);
    }

    @Test
    void normalNumbersAreFiniteWithExpectedMoments() {
        double[] moments = new double[5];
        double product = 0;
        int[] words = new int[4];
        double[] pair = new double[2];
        int pairs = 100_000;
        for (long block = 0; block < pairs; block++) {
            Philox.block(new Philox.Key(42, 1, 0), block, words);
            Philox.normalPair(words[0], words[1], pair);
            for (int order = 1; order <= 4; order++) {
                moments[order] += (Math.pow(pair[0], order) + Math.pow(pair[1], order)) / (2 * pairs);
            }
            product += pair[0] * pair[1] / pairs;
        }
        assertThat(moments[1]).isCloseTo(0, within(0.012));
        assertThat(moments[2]).isCloseTo(1, within(0.016));
        assertThat(moments[3]).isCloseTo(0, within(0.045));
        assertThat(moments[4]).isCloseTo(3, within(0.11));
        assertThat(product).isCloseTo(0, within(0.016));

        Philox.normalPair(0, 0, pair); // the smallest u₁
        assertThat(pair[0]).isCloseTo(Math.sqrt(48 * Math.log(2)), within(1e-12));
        assertThat(pair[1]).isZero();
        Philox.normalPair(-1, 0, pair); // u₁ = 1
        assertThat(pair[0]).isZero();
    }

    @Test
    void boundedNumbersAreUniformAndInRange() {
        int[] counts = new int[7];
        Philox.Key key = new Philox.Key(3, 0, 0);
        for (long i = 0; i < 70_000; i++) {
            counts[Philox.below(key, i, 7)]++;
        }
        for (int count : counts) {
            assertThat(count).isBetween(9_500, 10_500);
        }
        assertThat(Philox.below(key, 5, 1)).isZero();
        assertThat(Philox.below(key, 5, Integer.MAX_VALUE)).isNotNegative();
        assertThat(Philox.below(key, 9, 1000)).isEqualTo(Philox.below(key, 9, 1000));
    }

    @Test
    void doublesAreInZeroToOne() {
        double sum = 0;
        for (long i = 0; i < 20_000; i++) {
            double number = Philox.nextDouble(new Philox.Key(5, 0, 0), i);
            assertThat(number).isBetween(0.0, Math.nextDown(1.0));
            sum += number / 20_000;
        }
        assertThat(sum).isCloseTo(0.5, within(0.01));
    }
}
