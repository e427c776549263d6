package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** What every communicator must do. Each check is run by all ranks of a job together. */
public final class CommunicatorChecks {
    /** Lengths of tensors: none, fewer than ranks, odd, and more than one message. */
    private static final List<Integer> LENGTHS = List.of(0, 1, 2, 7, 1000, 1_100_003);

    /** A check by one rank. */
    @FunctionalInterface
    public interface Check {
        void run(Communicator communicator) throws InterruptedException;
    }

    private CommunicatorChecks() {}

    /** The checks by name, in the order in which all ranks run them. */
    public static Map<String, Check> all() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("broadcastCopiesTheRootsElementsToAllRanks", CommunicatorChecks::broadcast);
        checks.put("allGatherCollectsTheShardsInRankOrder", CommunicatorChecks::allGather);
        checks.put("allGatherAcceptsAViewAsShard", CommunicatorChecks::allGatherInPlace);
        checks.put("reduceScatterAddsInRankOrder", CommunicatorChecks::reduceScatter);
        checks.put("gatherCollectsNumbersOfDifferentCounts", CommunicatorChecks::gatherNumbers);
        checks.put("unequalShardsAreReducedAndGathered", CommunicatorChecks::unequalShards);
        checks.put("gatherCollectsTheShardsOnOneRank", CommunicatorChecks::gatherOnOneRank);
        checks.put("reservedMemoryIsAllThatSumsNeed", CommunicatorChecks::reserved);
        checks.put("countedTrafficIsWhatIsSent", CommunicatorChecks::traffic);
        checks.put("allReduceOfNumbersThatCancelIsTheSumInRankOrder", CommunicatorChecks::allReduceInRankOrder);
        checks.put("allReduceOfBfloat16RoundsAfterEachAddition", CommunicatorChecks::allReduceOfBfloat16);
        checks.put("sentTensorArrivesUnchanged", CommunicatorChecks::sendAndReceive);
        checks.put("pendingOperationsCompleteInOrder", CommunicatorChecks::pending);
        checks.put("barrierWaitsForTheLastRank", CommunicatorChecks::barrier);
        checks.put("messageOfAnotherSizeIsAnError", CommunicatorChecks::mismatch);
        checks.put("impossibleArgumentsAreRejected", CommunicatorChecks::arguments);
        return checks;
    }

    /** Runs a check on all ranks, each a thread, and rethrows the first failure. */
    public static void run(List<Communicator.Opening> openings, Check check) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(openings.size())) {
            List<Future<?>> ranks = new ArrayList<>();
            for (Communicator.Opening opening : openings) {
                Callable<Void> rank = () -> {
                    try (Communicator communicator = Communicator.of(opening)) {
                        try {
                            check.run(communicator);
                        } catch (Throwable e) {
                            communicator.abort(String.valueOf(e.getMessage()));
                            throw e;
                        }
                        return null;
                    }
                };
                ranks.add(threads.submit(rank));
            }
            for (Future<?> rank : ranks) {
                try {
                    rank.get();
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof Exception cause) {
                        throw cause;
                    }
                    throw new AssertionError(e.getCause());
                }
            }
        }
    }

    private static void broadcast(Communicator communicator) {
        for (int root = 0; root < communicator.size(); root++) {
            for (int length : LENGTHS) {
                Tensor tensor = tensor(communicator.rank() == root ? values(root, length) : new float[length]);
                communicator.broadcast(tensor, root);
                assertThat(tensor.toFloats()).isEqualTo(values(root, length));
            }
        }
    }

    private static void allGather(Communicator communicator) {
        for (int length : LENGTHS) {
            Shards shards = Shards.equal(length, communicator.size());
            float[] all = values(9, length);
            Tensor whole = tensor(new float[length]);
            communicator.allGather(tensor(range(all, shards, communicator.rank())), whole);
            assertThat(whole.toFloats()).isEqualTo(all);
        }
    }

    private static void allGatherInPlace(Communicator communicator) {
        int[] own = new int[11];
        Shards shards = Shards.equal(own.length, communicator.size());
        for (long i = shards.from(communicator.rank()); i < shards.to(communicator.rank()); i++) {
            own[(int) i] = (int) (7 * i + 1);
        }
        Tensor whole = Tensor.of(own, own.length);
        communicator.allGather(shards.of(whole, communicator.rank()), whole);
        assertThat(whole.toInts())
                .isEqualTo(IntStream.range(0, own.length).map(i -> 7 * i + 1).toArray());
    }

    private static void reduceScatter(Communicator communicator) {
        for (int length : LENGTHS) {
            Tensor whole = tensor(values(communicator.rank(), length));
            Shards shards = Shards.equal(length, communicator.size());
            Tensor shard = tensor(new float[(int) shards.size(communicator.rank())]);
            communicator.reduceScatter(whole, shard);
            assertThat(shard.toFloats())
                    .isEqualTo(range(sumInRankOrder(communicator.size(), length), shards, communicator.rank()));
            assertThat(whole.toFloats()).as("addend").isEqualTo(values(communicator.rank(), length));
        }
    }

    private static void gatherNumbers(Communicator communicator) {
        double[] own = new double[2 * communicator.rank()];
        Arrays.fill(own, communicator.rank() + 0.5);
        double[] all = communicator.gather(own);
        int at = 0;
        for (int rank = 0; rank < communicator.size(); rank++) {
            for (int i = 0; i < 2 * rank; i++) {
                assertThat(all[at++]).isEqualTo(rank + 0.5);
            }
        }
        assertThat(all).hasSize(at);
    }

    /** The first rank has nothing, the second one three elements, and the last one the rest. */
    private static Shards unequal(int length, int ranks) {
        long[] bounds = new long[ranks + 1];
        for (int rank = 2; rank < ranks; rank++) {
            bounds[rank] = Math.min(3, length);
        }
        bounds[ranks] = length;
        return Shards.of(bounds);
    }

    private static void unequalShards(Communicator communicator) {
        for (int length : LENGTHS) {
            Shards shards = unequal(length, communicator.size());
            Tensor whole = tensor(values(communicator.rank(), length));
            Tensor shard = shards.of(whole, communicator.rank());
            communicator.reduceScatterAsync(whole, shard, shards).await();
            float[] sum = sumInRankOrder(communicator.size(), length);
            assertThat(shard.toFloats()).isEqualTo(range(sum, shards, communicator.rank()));
            communicator.allGatherAsync(shard, whole, shards).await();
            assertThat(whole.toFloats()).isEqualTo(sum);
        }
    }

    private static void gatherOnOneRank(Communicator communicator) {
        for (int root = 0; root < communicator.size(); root++) {
            for (int length : LENGTHS) {
                Shards shards = unequal(length, communicator.size());
                Tensor shard = tensor(range(values(5, length), shards, communicator.rank()));
                Tensor whole = communicator.rank() == root ? tensor(new float[length]) : null;
                communicator.gatherAsync(shard, whole, shards, root).await();
                if (whole != null) {
                    assertThat(whole.toFloats()).isEqualTo(values(5, length));
                }
            }
        }
    }

    private static void reserved(Communicator communicator) {
        Device device = Device.cpu(1);
        for (DType dtype : List.of(DType.F32, DType.BF16)) {
            Tensor whole = Tensor.zeros(device, dtype, Shape.of(1000), MemoryCategory.GRADIENTS);
            communicator.reserve(device, dtype, 1000);
            device.backend().memory().resetPeak();
            long before = device.backend().memory().live();
            communicator.allReduce(whole);
            assertThat(device.backend().memory().peak()).isEqualTo(before);
        }
    }

    private static void traffic(Communicator communicator) {
        TrafficCount count = new TrafficCount(communicator.rank(), communicator.size());
        long before = communicator.sentBytes();
        for (int length : LENGTHS) {
            Shards shards = unequal(length, communicator.size());
            Tensor whole = tensor(values(communicator.rank(), length));
            Tensor shard = shards.of(whole, communicator.rank());
            for (Collectives each : List.of(communicator, count)) {
                each.allReduceAsync(whole).await();
                each.reduceScatterAsync(whole, shard, shards).await();
                each.allGatherAsync(shard, whole, shards).await();
                each.gatherAsync(shard, each.rank() == 0 ? whole : null, shards, 0)
                        .await();
                each.gather(1, 2, 3);
                each.broadcast(whole, communicator.size() - 1);
            }
        }
        assertThat(count.sentBytes()).isEqualTo(communicator.sentBytes() - before);
    }

    private static void allReduceInRankOrder(Communicator communicator) {
        for (int length : LENGTHS) {
            Tensor tensor = tensor(values(communicator.rank(), length));
            communicator.allReduce(tensor);
            assertThat(tensor.toFloats()).isEqualTo(sumInRankOrder(communicator.size(), length));
        }
    }

    private static void allReduceOfBfloat16(Communicator communicator) {
        // 256 has no odd neighbors in BF16 (8 bits of precision), so each addend of 1 is lost, unless they come first.
        int size = communicator.size();
        float[] addends = communicator.rank() == 0 ? new float[] {256, 1, 1} : new float[] {1, 256, 1};
        Tensor tensor = tensor(addends).to(DType.BF16);
        communicator.allReduce(tensor);
        float second = 1;
        for (int rank = 1; rank < size; rank++) {
            second = roundToEven8Bits(second + 256);
        }
        assertThat(tensor.toFloats()).isEqualTo(new float[] {256, second, size});
    }

    private static float roundToEven8Bits(float value) {
        int bits = Float.floatToIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }

    private static void sendAndReceive(Communicator communicator) {
        int size = communicator.size();
        if (size == 1) {
            return;
        }
        int next = (communicator.rank() + 1) % size;
        int previous = Math.floorMod(communicator.rank() - 1, size);
        for (int length : LENGTHS) {
            Tensor received = tensor(new float[length]);
            if (communicator.rank() % 2 == 0 && communicator.rank() != size - 1) {
                communicator.send(tensor(values(communicator.rank(), length)), next, length % 100);
                communicator.receive(received, previous, length % 100);
            } else {
                communicator.receive(received, previous, length % 100);
                communicator.send(tensor(values(communicator.rank(), length)), next, length % 100);
            }
            assertThat(received.toFloats()).isEqualTo(values(previous, length));
        }
    }

    private static void pending(Communicator communicator) {
        List<Pending> pending = new ArrayList<>();
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Tensor tensor = tensor(values(communicator.rank(), 100 + i));
            tensors.add(tensor);
            pending.add(communicator.allReduceAsync(tensor));
            pending.add(communicator.broadcastAsync(tensor, i % communicator.size()));
        }
        pending.forEach(Pending::await);
        assertThat(pending).allMatch(Pending::isDone);
        for (int i = 0; i < 20; i++) {
            assertThat(tensors.get(i).toFloats()).isEqualTo(sumInRankOrder(communicator.size(), 100 + i));
        }
    }

    private static void barrier(Communicator communicator) throws InterruptedException {
        Thread.sleep(30L * communicator.rank());
        double arrival = milliseconds();
        communicator.barrier();
        double departure = milliseconds();
        Tensor arrivals =
                Tensor.zeros(Device.cpu(), DType.F32, Shape.of(communicator.size()), MemoryCategory.WORKSPACE);
        communicator.allGather(Tensor.of(new float[] {(float) arrival}, 1), arrivals);
        for (float other : arrivals.toFloats()) {
            assertThat(departure).isGreaterThanOrEqualTo(other - 1);
        }
    }

    /** The clock of the machine, small enough for a float. */
    private static double milliseconds() {
        return TimeUnit.NANOSECONDS.toMicros(System.nanoTime()) / 1000.0 % 10_000;
    }

    private static void mismatch(Communicator communicator) {
        if (communicator.rank() == 0 && communicator.size() > 1) {
            try {
                communicator.send(tensor(new float[5]), 1, 3);
            } catch (CommunicationException e) {
                assertThat(e).hasMessageContaining("expected 24");
            }
        } else if (communicator.rank() == 1) {
            assertThatThrownBy(() -> communicator.receive(tensor(new float[6]), 0, 3))
                    .isInstanceOf(CommunicationException.class)
                    .hasMessageContaining("rank 0 sent 20 bytes and rank 1 expected 24");
        }
    }

    private static void arguments(Communicator communicator) {
        int size = communicator.size();
        Tensor tensor = tensor(new float[6]);
        assertThatThrownBy(() -> communicator.broadcast(tensor, size))
                .hasMessage("broadcast: there is no rank " + size + " among " + size);
        assertThatThrownBy(() -> communicator.send(tensor, communicator.rank(), 0))
                .hasMessageContaining("is this process itself");
        assertThatThrownBy(() -> communicator.allGather(tensor(new float[7]), tensor))
                .hasMessageStartingWith("allGather: the shard [7] of [6] must have")
                .hasMessageContaining("elements of the same dtype on rank " + communicator.rank());
        Tensor without = Tensor.empty(Device.meta(), DType.F32, Shape.of(6), MemoryCategory.WORKSPACE);
        assertThatThrownBy(() -> communicator.allReduce(without)).hasMessageContaining("is not in host memory");
        assertThatThrownBy(() -> communicator.allReduce(Tensor.of(new int[] {1}, 1)))
                .hasMessage("allReduce: [1] is I32; sums are made of [F32, BF16, F16]");
    }

    // ---- values ----

    /** Numbers whose sum depends on the order: of very different sizes, and of both signs. */
    private static float[] values(int rank, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            int mixed = (31 * i + 17 * rank) * 0x9e3779b9;
            values[i] = Math.scalb((float) (mixed >> 8), 3 * (mixed & 15));
        }
        return values;
    }

    private static float[] sumInRankOrder(int ranks, int length) {
        float[] sum = values(0, length);
        for (int rank = 1; rank < ranks; rank++) {
            float[] addend = values(rank, length);
            for (int i = 0; i < length; i++) {
                sum[i] += addend[i];
            }
        }
        return sum;
    }

    private static float[] range(float[] whole, Shards shards, int rank) {
        return Arrays.copyOfRange(whole, (int) shards.from(rank), (int) shards.to(rank));
    }

    private static Tensor tensor(float[] values) {
        return Tensor.of(values, values.length);
    }
}
