package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModuleTest {
    /** Has a parameter, and two children of which the second shares it. */
    private static final class Shared extends Module {
        private final Leaf first;
        private final Leaf second;

        Shared(Variable own, Variable other) {
            register(own);
            first = register(new Leaf(other));
            second = register(new Leaf(own));
        }
    }

    private static final class Leaf extends Module {
        Leaf(Variable variable) {
            register(variable);
        }
    }

    private static Variable parameter(String name, int size) {
        return Variable.parameter(name, Tensor.of(new float[size], size));
    }

    // ---- parameters ----

    @Test
    void parametersAreInOrderOfRegistrationAndSharedOnesAppearOnce() {
        Variable a = parameter("a", 2);
        Variable b = parameter("b", 3);
        Shared module = new Shared(a, b);
        assertThat(module.parameters()).containsExactly(a, b);
        assertThat(module.namedParameters()).containsOnlyKeys("a", "b").containsEntry("b", b);
        assertThat(module.parameterCount()).isEqualTo(5);
    }

    @Test
    void namedParametersRejectsEqualNamesWithTheRemedy() {
        Shared module = new Shared(parameter("a", 1), parameter("a", 1));
        assertThat(module.parameters()).hasSize(2);
        assertThatThrownBy(module::namedParameters)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "two parameters are named 'a'; give the modules names, as in register(\"fc1\", new Linear(8,"
                                + " 4))");
    }

    @Test
    void registerRejectsAParameterWithoutAName() {
        assertThatThrownBy(() -> new Leaf(Variable.constant(Tensor.of(new float[2], 2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has no name; create it with Variable.parameter");
    }

    // ---- names ----

    private static final class Encoder extends Module {
        private final Linear fc = register("fc", new Linear(4, 4));
        private final Sequential mlp =
                register("mlp", new Sequential(new Linear(4, 8), Activation.GELU, new Linear(8, 4)));
    }

    private static final class Network extends Module {
        private final Encoder encoder = register("encoder", new Encoder());
        private final LayerNorm norm = register("norm", new LayerNorm(4));
        private final Dropout dropout = register("dropout", new Dropout(0.1));
        private final Linear head = register("head", new Linear(4, 2, false));
    }

    @Test
    void namesArePathsOfRegistration() {
        assertThat(new Network().namedParameters().keySet())
                .containsExactly(
                        "encoder.fc.weight",
                        "encoder.fc.bias",
                        "encoder.mlp.0.weight",
                        "encoder.mlp.0.bias",
                        "encoder.mlp.2.weight",
                        "encoder.mlp.2.bias",
                        "norm.weight",
                        "norm.bias",
                        "head.weight");
    }

    @Test
    void moduleRegisteredTwiceKeepsTheFirstName() {
        class Tied extends Module {
            private final Linear shared = register("a", new Linear(2, 2));
            private final Linear again = register("b", shared);
        }
        Tied tied = new Tied();
        assertThat(tied.namedParameters()).containsOnlyKeys("a.weight", "a.bias");
        assertThat(tied.again).isSameAs(tied.shared);
    }

    @Test
    void namesFromAWeightSourceStay() {
        WeightSource weights = Given.weights();
        class Named extends Module {
            private final Linear fc =
                    register("fc", new Linear(weights.in("encoder").in("fc"), 2, 2, false));
        }
        assertThat(new Named().namedParameters()).containsOnlyKeys("encoder.fc.weight");
    }

    // ---- unregistered fields ----

    @Test
    void unregisteredModuleFieldIsRejectedByName() {
        class Forgetful extends Module {
            private final Linear fc1 = register("fc1", new Linear(2, 2));
            private final Linear fc2 = new Linear(2, 2);
        }
        Forgetful module = new Forgetful();
        assertThatThrownBy(module::parameters)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Forgetful.fc2 holds a Linear that was not registered, so it would not be trained or saved;"
                        + " write fc2 = register(\"fc2\", …), or declare the field transient if it only refers to"
                        + " something owned elsewhere");
        assertThatThrownBy(module::namedParameters).hasMessageContaining("Forgetful.fc2");
        assertThatThrownBy(module::parameterCount).hasMessageContaining("Forgetful.fc2");
        assertThatThrownBy(module::train).hasMessageContaining("Forgetful.fc2");
    }

    @Test
    void unregisteredFieldOfAnInnerModuleOrASuperclassIsRejected() {
        class Base extends Module {
            private final Variable scale = parameter("scale", 1);
        }
        class Derived extends Base {}
        class Outer extends Module {
            private final Derived inner = register("inner", new Derived());
        }
        assertThatThrownBy(() -> new Outer().parameters())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Base.scale holds a Variable that was not registered")
                .hasMessageContaining("scale = register(…)");
    }

    @Test
    void unregisteredModulesInCollectionsArraysAndMapsAreRejected() {
        class InList extends Module {
            private final List<Linear> layers = List.of(new Linear(2, 2));
        }
        class InArray extends Module {
            private final Linear[] layers = {new Linear(2, 2)};
        }
        class InMap extends Module {
            private final Map<String, Linear> layers = Map.of("a", new Linear(2, 2));
        }
        for (Module module : new Module[] {new InList(), new InArray(), new InMap()}) {
            assertThatThrownBy(module::parameters)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(".layers holds a Linear that was not registered");
        }
    }

    @Test
    void referencesToRegisteredOrTransientModulesAreAccepted() {
        Network owner = new Network();
        class Referring extends Module {
            private final Network network = register("network", owner);
            private final Linear ofTheNetwork = network.head;
            private final Variable weight = network.head.weight();
            private final Variable mask = Variable.constant(Tensor.of(new float[2], 2));
            private final transient Linear elsewhere = new Linear(2, 2);
        }
        Referring module = new Referring();
        assertThat(module.parameters()).isEqualTo(owner.parameters());
        assertThat(module.elsewhere).isNotNull();
    }

    // ---- training mode ----

    @Test
    void trainAndEvalReachEveryModuleInside() {
        Shared module = new Shared(parameter("a", 1), parameter("b", 1));
        assertThat(module.isTraining()).isFalse();
        assertThat(module.second.isTraining()).isFalse();
        module.train();
        assertThat(module.isTraining()).isTrue();
        assertThat(module.first.isTraining()).isTrue();
        assertThat(module.second.isTraining()).isTrue();
        module.eval();
        assertThat(module.first.isTraining()).isFalse();
    }

    // ---- printing ----

    @Test
    void toStringPrintsTheTreeInPyTorchsStyle() {
        assertThat(new Network()).hasToString("""
            Network(
              (encoder): Encoder(
                (fc): Linear(in_features=4, out_features=4, bias=true)
                (mlp): Sequential(
                  (0): Linear(in_features=4, out_features=8, bias=true)
                  (1): GELU()
                  (2): Linear(in_features=8, out_features=4, bias=true)
                )
              )
              (norm): LayerNorm([4], eps=1.0E-5)
              (dropout): Dropout(p=0.1)
              (head): Linear(in_features=4, out_features=2, bias=false)
            )\
            """);
    }

    @Test
    void toStringOfALanguageModelPrintsEqualLayersOnce() {
        Gpt2 model = new Gpt2(Gpt2Config.of(11, 8, 3, 2, 16), WeightSource.random(Device.cpu(), 1));
        assertThat(model).hasToString("""
            Gpt2(
              (wte): Embedding(11, 8)
              (wpe): Embedding(16, 8)
              (drop): Dropout(p=0.0)
              (h.0-2): 3 x Block(
                (ln_1): LayerNorm([8], eps=1.0E-5)
                (attn): CausalSelfAttention(
                  (c_attn): Conv1D(nf=24, nx=8)
                  (c_proj): Conv1D(nf=8, nx=8)
                  (attention): SelfAttention()
                  (resid_dropout): Dropout(p=0.0)
                )
                (ln_2): LayerNorm([8], eps=1.0E-5)
                (mlp): Mlp(
                  (c_fc): Conv1D(nf=32, nx=8)
                  (c_proj): Conv1D(nf=8, nx=32)
                  (dropout): Dropout(p=0.0)
                )
              )
              (ln_f): LayerNorm([8], eps=1.0E-5)
            )\
            """);
    }
}
