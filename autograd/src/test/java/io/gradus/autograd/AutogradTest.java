package io.gradus.autograd;

import static io.gradus.autograd.OnReference.parameter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Recording is on unless a thread turns it off. */
class AutogradTest {

    @Test
    void noGradRecordsNothing() {
        Variable x = parameter("x", 2);
        Variable y = Autograd.noGrad(() -> x.multiply(x));
        assertThat(y.item()).isEqualTo(4);
        assertThat(y.requiresGrad()).isFalse();
        assertThat(y.isLeaf()).isTrue();
        assertThatThrownBy(y::backward).hasMessageContaining("noGrad");
    }

    @Test
    void recordingResumesAfterNoGradEvenIfItThrows() {
        assertThatThrownBy(() -> Autograd.noGrad(() -> {
                    throw new UnsupportedOperationException("on purpose");
                }))
                .hasMessage("on purpose");
        assertThat(Autograd.isRecording()).isTrue();
        Autograd.noGrad(() -> Autograd.noGrad(() -> 1) + (Autograd.isRecording() ? fail() : 1));
        assertThat(Autograd.isRecording()).isTrue();
    }

    private static int fail() {
        throw new AssertionError("the inner noGrad switched recording on");
    }

    @Test
    void noGradAffectsOnlyItsThread() {
        boolean elsewhere = Autograd.noGrad(
                () -> CompletableFuture.supplyAsync(Autograd::isRecording).join());
        assertThat(elsewhere).isTrue();
    }
}
