package io.gradus.gpu;

import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.TornadoStorage;
import java.util.Arrays;

/** The integers of a tensor, for what has to be known before a kernel may run: a kernel cannot throw. */
final class Ids {
    private Ids() {}

    /** The elements: from memory when the host wrote them last, otherwise from the device. */
    static int[] of(Tensor ids) {
        int[] known = TornadoStorage.of(ids).known();
        if (known == null) {
            return ids.toInts();
        }
        int from = Math.toIntExact(ids.offset());
        return from == 0 && known.length == ids.size()
                ? known
                : Arrays.copyOfRange(known, from, from + Math.toIntExact(ids.size()));
    }

    /** Which element is the first outside 0 … {@code bound − 1}, or −1. */
    static int firstOutside(int[] ids, long bound) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= bound) {
                return i;
            }
        }
        return -1;
    }
}
