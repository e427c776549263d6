package io.gradus.autograd;

import static io.gradus.autograd.OnReference.constant;
import static io.gradus.autograd.OnReference.grad;
import static io.gradus.autograd.OnReference.ids;
import static io.gradus.autograd.OnReference.parameter;
import static io.gradus.autograd.OnReference.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Properties, gradients and errors of variables. */
class VariableTest {

    @Test
    void gradientsAccumulateUntilCleared() {
        Variable x = parameter("x", 3);
        x.multiply(x).sum().backward();
        Tensor buffer = x.grad();
        x.multiply(5).sum().backward();
        assertThat(grad(x)).containsExactly(6 + 5);
        x.clearGrad();
        assertThat(x.grad()).isNull();
        x.multiply(2).sum().backward();
        assertThat(grad(x)).as("overwritten, not added").containsExactly(2);
        assertThat(x.grad()).as("in the same memory").isSameAs(buffer);
    }

    @Test
    void leafGradientOutlivesTheScope() {
        Variable x = parameter("x", 3);
        try (Scope _ = Scope.open("step")) {
            x.multiply(x).sum().backward();
        }
        assertThat(grad(x)).containsExactly(6);
    }

    @Test
    void retainGradKeepsTheGradientOfANonLeaf() {
        Variable x = parameter("x", 3);
        Variable plain = x.multiply(2);
        Variable kept = plain.multiply(5).retainGrad();
        kept.multiply(kept).sum().backward();
        assertThat(grad(kept)).containsExactly(2 * 30);
        assertThat(plain.grad()).isNull();
        assertThat(grad(x)).containsExactly(600);
    }

    @Test
    void detachStopsTheGradient() {
        Variable x = parameter("x", 3);
        x.multiply(x.detach()).sum().backward();
        assertThat(grad(x)).containsExactly(3);
        assertThat(x.tanh().detach().requiresGrad()).isFalse();
        assertThat(x.tanh().detach().isLeaf()).isTrue();
    }

    @Test
    void backwardFromAScalarLeafIsOne() {
        Variable x = parameter("x", 3);
        x.backward();
        assertThat(grad(x)).containsExactly(1);
    }

    @Test
    void backwardFromANonScalarNeedsAGradient() {
        Variable x = parameter("x", 1, 2);
        Variable y = x.multiply(x);
        assertThatThrownBy(y::backward)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("multiply")
                .hasMessageContaining("[2]")
                .hasMessageContaining("sum()");
        assertThatThrownBy(() -> y.backward(vector(1), false))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[1] and [2]");
        y.backward(vector(1, 10), false);
        assertThat(grad(x)).containsExactly(2, 40);
    }

    @Test
    void backwardFromAConstantIsRejected() {
        assertThatThrownBy(() -> constant(1).multiply(2).sum().backward())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("requires no gradient");
    }

    @Test
    void renameChangesTheNameOfALeafOnly() {
        Variable x = parameter("weight", 2);
        x.rename("fc1.weight");
        assertThat(x.name()).isEqualTo("fc1.weight");
        assertThatThrownBy(() -> x.multiply(2).rename("y"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("only leaves have names");
    }

    @Test
    void setRequiresGradFreezesOnlyLeaves() {
        Variable x = parameter("x", 1);
        x.setRequiresGrad(false);
        assertThat(x.tanh().requiresGrad()).isFalse();
        x.setRequiresGrad(true);
        Variable y = x.tanh();
        assertThat(y.requiresGrad()).isTrue();
        assertThatThrownBy(() -> y.setRequiresGrad(false)).hasMessageContaining("detach()");
    }

    @Test
    void integerParameterIsRejected() {
        assertThatThrownBy(() -> Variable.parameter("ids", ids(1, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ids")
                .hasMessageContaining("I32");
    }

    @Test
    void onlyLeavesHaveNames() {
        Variable x = parameter("x", 1, 2);
        assertThat(x.name()).isEqualTo("x");
        assertThat(x.reshape(2, 1).name()).isNull();
        assertThat(x.exp() + "").startsWith("exp F64 [2] on reference");
    }

    @Test
    void arithmeticWithNumbers() {
        Variable x = parameter("x", 4);
        assertThat(x.add(1).item()).isEqualTo(5);
        assertThat(x.subtract(1).item()).isEqualTo(3);
        assertThat(x.multiply(3).item()).isEqualTo(12);
        assertThat(x.divide(8).item()).isEqualTo(0.5);
        assertThat(x.negate().item()).isEqualTo(-4);
        assertThat(x.pow(1.5).item()).isEqualTo(8);
    }

    @Test
    void comparisonsGiveConditionsForWhere() {
        Variable x = parameter("x", -2, 0, 3);
        Variable zero = x.multiply(0);
        assertThat(x.gt(0).toInts()).containsExactly(0, 0, 1);
        assertThat(x.ge(zero).toInts()).containsExactly(0, 1, 1);
        assertThat(x.lt(zero).toInts()).containsExactly(1, 0, 0);
        assertThat(x.le(0).toInts()).containsExactly(1, 1, 0);
        assertThat(x.eq(3).toInts()).containsExactly(0, 0, 1);
        assertThat(x.ne(zero.add(3)).toInts()).containsExactly(1, 1, 0);
        Variable.where(x.gt(0), x.multiply(2), x.multiply(0.5)).sum().backward();
        assertThat(grad(x)).as("of a leaky ReLU").containsExactly(0.5, 0.5, 2);
    }

    @Test
    void absAtZeroAndClampAtItsBoundsHaveNoGradient() {
        Variable x = parameter("x", -1, 0, 1, 0.5);
        x.abs().sum().backward();
        assertThat(grad(x)).containsExactly(-1, 0, 1, 1);
        x.clearGrad();
        x.clamp(0, 1).sum().backward();
        assertThat(grad(x)).containsExactly(0, 0, 0, 1);
    }

    @Test
    void maximumOfEqualElementsSharesTheGradient() {
        Variable a = parameter("a", 1, 2, 3);
        Variable b = parameter("b", 3, 2, 1);
        a.maximum(b).sum().backward();
        assertThat(grad(a)).containsExactly(0, 0.5, 1);
        assertThat(grad(b)).containsExactly(1, 0.5, 0);
    }

    @Test
    void topkGivesValuesIndicesAndTheirGradient() {
        Variable x = Variable.parameter("x", vector(5, 1, 9, 4, 8, 2).reshape(2, 3));
        var top = x.topk(2, -1);
        assertThat(top.values().value().toDoubles()).containsExactly(9, 5, 8, 4);
        assertThat(top.indices().toInts()).containsExactly(2, 0, 1, 0);
        top.values().backward(vector(10, 20, 30, 40).reshape(2, 2), false);
        assertThat(grad(x)).containsExactly(20, 0, 10, 40, 30, 0);
        assertThat(x.argmax(0).toInts()).containsExactly(0, 1, 0);
        assertThat(x.argmax(-1).shape()).isEqualTo(Shape.of(2));
    }

    @Test
    void cumsumAddsUpAlongAnAxis() {
        Variable x = parameter("x", 1, 2, 3);
        Variable y = x.cumsum(0);
        assertThat(y.value().toDoubles()).containsExactly(1, 3, 6);
        y.sum().backward();
        assertThat(grad(x)).containsExactly(3, 2, 1);
    }

    @Test
    void lossesPerElementHaveKnownValues() {
        Variable x = constant(0, 0.5, -3);
        Variable zero = constant(0, 0, 0);
        assertThat(x.huber(zero, 1).value().toDoubles()).containsExactly(0, 0.125, 2.5);
        assertThat(zero.binaryCrossEntropyWithLogits(constant(0, 0.5, 1))
                        .value()
                        .toDoubles())
                .containsOnly(Math.log(2));
        assertThat(constant(-800, 800)
                        .binaryCrossEntropyWithLogits(constant(1, 0))
                        .value()
                        .toDoubles())
                .containsExactly(800, 800);
        Variable half = constant(Math.log(0.5), Math.log(0.5));
        assertThat(half.klDivergence(constant(1, 0)).sum().item()).isEqualTo(Math.log(2));
    }

    @Test
    void reshapeInfersOneLength() {
        Variable x = constant(1, 2, 3, 4, 5, 6);
        assertThat(x.reshape(2, -1).shape()).isEqualTo(Shape.of(2, 3));
        assertThat(x.reshape(-1, 1, 6).shape()).isEqualTo(Shape.of(1, 1, 6));
        assertThatThrownBy(() -> x.reshape(4, -1)).hasMessageContaining("[6]").hasMessageContaining("[4, -1]");
        assertThatThrownBy(() -> x.reshape(-1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> x.reshape(7))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[7]");
    }

    @Test
    void splitLengthsMustCoverTheAxis() {
        Variable x = constant(1, 2, 3, 4, 5, 6);
        List<Variable> parts = x.split(0, 1, 0, 5);
        assertThat(parts.get(2).value().toDoubles()).containsExactly(2, 3, 4, 5, 6);
        assertThat(parts.get(1).shape()).isEqualTo(Shape.of(0));
        assertThatThrownBy(() -> x.split(0, 7, -1)).hasMessageContaining("[7, -1]");
        assertThatThrownBy(() -> x.split(0, 2, 3))
                .hasMessageContaining("[2, 3]")
                .hasMessageContaining("[6]");
    }

    @Test
    void negativeAxesCountFromTheLast() {
        Variable x = constant(1, 2, 3, 4, 5, 6).reshape(1, 2, 3);
        assertThat(x.transpose(-1, 0).shape()).isEqualTo(Shape.of(3, 2, 1));
        assertThat(x.permute(1, -1, 0).shape()).isEqualTo(Shape.of(2, 3, 1));
        assertThat(x.sum(-1, 0).value().toDoubles()).containsExactly(6, 15);
        assertThat(x.softmax(-3).value().toDoubles()).containsOnly(1);
    }
}
