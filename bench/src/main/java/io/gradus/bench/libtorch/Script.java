package io.gradus.bench.libtorch;

import java.util.List;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Operations that the bindings lack, called through TorchScript. A call costs some microseconds more than in C++; the operation is
 * the same.
 */
final class Script {
    private static final CompilationUnit UNIT = compile("""
        def one(t: Tensor) -> List[Tensor]:
            return [t]

        def append(l: List[Tensor], t: Tensor) -> List[Tensor]:
            l.append(t)
            return l

        def softmax_backward_out(dy: Tensor, y: Tensor, dx: Tensor) -> Tensor:
            return torch._softmax_backward_data(dy, y, -1, 6, grad_input=dx)

        def adamw(p: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], lr: float,
                  decay: float) -> int:
            g: List[Tensor] = []
            for x in p:
                dx = x.grad
                if dx is not None:
                    g.append(dx)
            e: List[Tensor] = []
            torch._foreach_add_(t, 1)
            torch._fused_adamw_(p, g, m, v, e, t, lr=lr, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-8,
                                amsgrad=False, maximize=False)
            return 0
        """);
    private static final Function ONE = function("one");
    private static final Function APPEND = function("append");

    private Script() {}

    /** The reference is retained, so that a scope that is open while this class is loaded does not free it. */
    private static CompilationUnit compile(String source) {
        return torch.compile(source).retainReference();
    }

    static Function function(String name) {
        return UNIT.find_function(new QualifiedName(name));
    }

    static IValue list(List<Tensor> tensors) {
        IValue list = ONE.apply(new IValueVector(new IValue(tensors.getFirst())));
        for (Tensor tensor : tensors.subList(1, tensors.size())) {
            list = APPEND.apply(new IValueVector(list, new IValue(tensor)));
        }
        return list;
    }
}
