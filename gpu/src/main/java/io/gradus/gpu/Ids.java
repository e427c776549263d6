package io.gradus.gpu;

import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.TornadoStorage;
import java.util.Arrays;

/** The integers of a tensor on the host, for checks that must precede a launch: a kernel cannot throw. */
final class Ids {
    private Ids() {}

    /** The elements: from host memory if the host wrote them last, otherwise downloaded from the device. */
    static int[] of(Tensor ids) {
        int[] known = TornadoStorage.of(ids).hostCopy();
        if (known == null) {
            return ids.toInts();
        }
        int from = Math.toIntExact(ids.offset());
        return from == 0 && known.length == ids.size()
                ? known
                : Arrays.copyOfRange(known, from, from + Math.toIntExact(ids.size()));
    }

    /** The index of the first element outside 0 … {@code bound − 1}, or −1. */
    static int firstOutside(int[] ids, long bound) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= bound) {
                return i;
            }
        }
        return -1;
    }
}
