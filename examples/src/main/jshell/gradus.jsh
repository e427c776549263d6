import io.gradus.autograd.*;
import io.gradus.core.*;
import io.gradus.corpora.*;
import io.gradus.data.*;
import io.gradus.data.serve.*;
import io.gradus.data.tokenizer.*;
import io.gradus.examples.*;
import io.gradus.examples.ScalarAutograd.Value;
import io.gradus.nn.*;
import io.gradus.nn.Module;
import io.gradus.nn.generate.*;
import io.gradus.nn.model.*;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.awdlstm.*;
import io.gradus.nn.model.bert.*;
import io.gradus.nn.model.decoder.*;
import io.gradus.nn.model.distilbert.*;
import io.gradus.nn.model.encoder.*;
import io.gradus.nn.model.gemma.*;
import io.gradus.nn.model.gpt2.*;
import io.gradus.nn.model.gptneox.*;
import io.gradus.nn.model.granite.*;
import io.gradus.nn.model.llama.*;
import io.gradus.nn.model.modernbert.*;
import io.gradus.nn.model.olmo2.*;
import io.gradus.nn.model.phi3.*;
import io.gradus.nn.model.qwen3.*;
import io.gradus.nn.model.smollm3.*;
import io.gradus.optim.*;
import io.gradus.train.*;
import io.gradus.train.recipe.*;
import io.gradus.train.task.*;
import java.nio.file.*;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;

Device cpu = Device.cpu();

/** Prints a tensor as rows of numbers. */
void show(Tensor tensor) {
    double[] elements =
            tensor.dtype().isFloating() ? tensor.toDoubles() : Arrays.stream(tensor.toInts()).asDoubleStream().toArray();
    String format = tensor.dtype().isFloating() ? "%10.4f" : "%7.0f";
    int columns = tensor.shape().rank() == 0 ? 1 : (int) tensor.shape().last();
    for (int i = 0; i < elements.length; i++) {
        System.out.printf(format + (i % columns == columns - 1 ? "%n" : ""), elements[i]);
    }
}

void show(Variable variable) {
    show(variable.value());
}

System.out.println("""
    Everything public in Gradus is imported. Some expressions to begin with:
        Variable x = Variable.parameter("x", Tensor.of(new float[] {1, 2, 3}, 3))
        x.softmax(-1).slice(0, 2, 3).sum().backward()
        show(x.grad())
        LanguageModel model = LanguageModel.load(BuiltInModel.folder(), cpu)""");
