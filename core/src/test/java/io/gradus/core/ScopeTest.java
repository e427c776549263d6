package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class ScopeTest {
    private final Device cpu = Device.cpu(1);

    private Tensor tensor() {
        return Tensor.of(cpu, new float[] {1, 2}, 2);
    }

    private long live() {
        return cpu.backend().memory().live();
    }

    @Test
    void closingAScopeFreesItsTensors() {
        Tensor before = tensor();
        Tensor outer;
        Tensor inner;
        try (Scope _ = Scope.open("step")) {
            outer = tensor();
            try (Scope _ = Scope.open("layer")) {
                inner = tensor();
                assertThat(live()).isEqualTo(24);
            }
            assertThat(live()).isEqualTo(16);
            assertThat(outer.toFloats()).containsExactly(1, 2);
        }
        assertThat(live()).isEqualTo(8);
        assertThat(before.toFloats()).containsExactly(1, 2);
        assertThat(outer.toString()).doesNotContain("1.0");
        assertThatThrownBy(inner::toFloats).hasMessageContaining("layer");
    }

    @Test
    void useAfterCloseNamesTensorScopeAndFix() {
        Tensor tensor;
        try (Scope _ = Scope.open("step 7")) {
            tensor = tensor().named("model.norm.weight");
        }
        for (Runnable use : new Runnable[] {
            tensor::toFloats,
            tensor::copy,
            tensor.slice(0, 1)::toDoubles,
            () -> cpu.kernels().elementwise().fill(tensor, 0),
            () -> tensor().copyFrom(tensor)
        }) {
            assertThatThrownBy(use::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("model.norm.weight [", "'step 7'", "Scope.outside");
        }
    }

    @Test
    void nextScopeReusesMemory() {
        for (int step = 0; step < 3; step++) {
            try (Scope _ = Scope.open("step")) {
                tensor();
                tensor();
            }
        }
        assertThat(live()).isZero();
        assertThat(cpu.backend().memory().peak()).isEqualTo(16);
    }

    @Test
    void tensorsCreatedOutsideOutliveTheScope() {
        Tensor kept;
        Tensor lost;
        try (Scope _ = Scope.open("step")) {
            kept = Scope.outside(() -> {
                try (Scope _ = Scope.open("inner")) {
                    tensor(); // a nested scope collects tensors again
                }
                return tensor();
            });
            lost = tensor();
            Tensor made = lost;
            assertThat(Scope.outside(made::copy).toFloats()).containsExactly(1, 2);
        }
        assertThat(kept.toFloats()).containsExactly(1, 2);
        assertThatThrownBy(lost::toFloats).hasMessageContaining("'step'");
    }

    @Test
    void keptTensorMovesToTheEnclosingScope() {
        Tensor view;
        try (Scope _ = Scope.open("step")) {
            Tensor lost;
            try (Scope inner = Scope.open("inner")) {
                tensor();
                Tensor kept = tensor();
                view = kept.slice(1, 2);
                lost = tensor();
                assertThat(inner.keep(view)).isSameAs(view);
                inner.keep(kept); // no longer belongs to this scope
            }
            assertThat(live()).isEqualTo(8);
            assertThat(view.toFloats()).containsExactly(2);
            assertThatThrownBy(lost::toFloats).hasMessageContaining("'inner'");
        }
        assertThat(live()).isZero();
        assertThatThrownBy(view::toFloats).hasMessageContaining("'step'");
    }

    @Test
    void tensorKeptFromOutermostScopeIsGarbageCollected() {
        Tensor kept;
        try (Scope step = Scope.open("step")) {
            kept = step.keep(tensor());
        }
        assertThat(kept.toFloats()).containsExactly(1, 2);
        kept.release();
        assertThat(live()).isZero();
    }

    @Test
    void outsideEndsAfterAnException() {
        try (Scope _ = Scope.open("step")) {
            assertThatThrownBy(() -> Scope.outside(() -> {
                        throw new IllegalStateException("broken");
                    }))
                    .hasMessage("broken");
            tensor();
        }
        assertThat(live()).isZero();
    }

    @Test
    void closingInTheWrongOrderIsRejected() {
        Scope outer = Scope.open("outer");
        Scope inner = Scope.open("inner");
        try {
            assertThatThrownBy(outer::close)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("'outer'", "reverse order");
        } finally {
            inner.close();
            outer.close();
        }
        outer.close(); // a second call does nothing
    }

    @Test
    void scopeBelongsToItsThread() {
        Tensor elsewhere;
        try (Scope step = Scope.open("step")) {
            elsewhere = CompletableFuture.supplyAsync(this::tensor).join();
            assertThatThrownBy(() -> CompletableFuture.runAsync(step::close).join())
                    .hasMessageContainingAll("'step'", "thread");
        }
        assertThat(elsewhere.toFloats()).containsExactly(1, 2);
    }

    @Test
    void releasedTensorIsNotFreedTwice() {
        try (Scope _ = Scope.open("step")) {
            tensor().release();
            assertThat(live()).isZero();
            Tensor next = tensor(); // in the same memory
            assertThat(next.toFloats()).containsExactly(1, 2);
            assertThat(live()).isEqualTo(8);
        }
        assertThat(live()).isZero();
    }
}
