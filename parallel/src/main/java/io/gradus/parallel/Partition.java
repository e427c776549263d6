package io.gradus.parallel;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Divides tensors among ranks so that all ranks have about the same number of elements. The tensors come in groups, such as the
 * layers of a network. Every rank gets its part of each group, so that all take part whenever a group is collected or reduced; what
 * one rank has too much of in a group, it has less of in the next.
 */
public final class Partition {
    private final int ranks;
    private final long chunk;
    private final long[] loads;

    /**
     * @param ranks the number of ranks
     * @param chunk tensors are cut at multiples of so many elements only
     */
    public Partition(int ranks, long chunk) {
        if (ranks < 1 || chunk < 1) {
            throw new IllegalArgumentException("partition: " + ranks + " ranks, chunks of " + chunk + " elements");
        }
        this.ranks = ranks;
        this.chunk = chunk;
        this.loads = new long[ranks];
    }

    /** The elements that each rank has by now. */
    public List<Long> loads() {
        return LongStream.of(loads).boxed().toList();
    }

    /**
     * Cuts the tensors of a group, one after the other, into one piece for each rank. Each cut is next to where the pieces would make
     * up for what the ranks have more or less by now. A part of a tensor has at least {@code chunk} elements, so a short tensor is
     * not cut.
     *
     * @param sizes the elements of the tensors
     * @return the ranges of each tensor
     */
    public List<Shards> ranges(List<Long> sizes) {
        long total = sizes.stream().mapToLong(Long::longValue).sum();
        long had = LongStream.of(loads).sum();
        long[] starts = starts(sizes);
        long[] cuts = new long[ranks + 1];
        cuts[ranks] = total;
        double wanted = 0;
        for (int rank = 0; rank < ranks - 1; rank++) {
            wanted += Math.max(0, (double) (had + total) / ranks - loads[rank]);
            cuts[rank + 1] = Math.max(cuts[rank], nearestCut(sizes, starts, Math.min(wanted, total)));
        }
        List<Shards> shards = new ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            long[] bounds = new long[ranks + 1];
            for (int rank = 0; rank <= ranks; rank++) {
                bounds[rank] = Math.clamp(cuts[rank] - starts[i], 0L, sizes.get(i));
            }
            shards.add(Shards.of(bounds));
        }
        for (int rank = 0; rank < ranks; rank++) {
            loads[rank] += cuts[rank + 1] - cuts[rank];
        }
        return shards;
    }

    /**
     * Gives each tensor of a group to one rank: the largest first, each to the rank that has least by now (Graham 1969).
     *
     * @param sizes the elements of the tensors
     * @return the ranges of each tensor, of which all but one are empty
     */
    public List<Shards> whole(List<Long> sizes) {
        Shards[] shards = new Shards[sizes.size()];
        IntStream.range(0, sizes.size())
                .boxed()
                .sorted(Comparator.comparingLong((Integer i) -> -sizes.get(i))) // a stable sort
                .forEach(i -> {
                    int least = 0;
                    for (int rank = 1; rank < ranks; rank++) {
                        least = loads[rank] < loads[least] ? rank : least;
                    }
                    loads[least] += sizes.get(i);
                    shards[i] = Shards.whole(sizes.get(i), ranks, least);
                });
        return List.of(shards);
    }

    private static long[] starts(List<Long> sizes) {
        long[] starts = new long[sizes.size()];
        for (int i = 1; i < starts.length; i++) {
            starts[i] = starts[i - 1] + sizes.get(i - 1);
        }
        return starts;
    }

    /** The place nearest to a wanted one where the group may be cut: between two tensors, or at a chunk of one. */
    private long nearestCut(List<Long> sizes, long[] starts, double wanted) {
        long nearest = 0;
        for (int i = 0; i < starts.length; i++) {
            long pieces = Math.max(1, sizes.get(i) / chunk); // the last one also has the rest
            long piece = Math.clamp(Math.round((wanted - starts[i]) / chunk), 0L, pieces);
            long cut = starts[i] + (piece == pieces ? sizes.get(i) : piece * chunk);
            long inside = starts[i] + (pieces - 1) * chunk;
            nearest = nearer(wanted, nearest, nearer(wanted, cut, inside));
        }
        return nearest;
    }

    private static long nearer(double wanted, long a, long b) {
        return Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a;
    }
}
