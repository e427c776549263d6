package io.gradus.parallel.launch;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What Slurm's environment variables mean (srun(1), "output environment variables"). */
final class Slurm {
    /** A number of tasks, and on how many nodes that follow each other: {@code 2(x3)}. */
    private static final Pattern TASKS = Pattern.compile("([0-9]{1,9})(?:\\(x([0-9]{1,9})\\))?");

    private static final int FIRST_PORT = 15_000;
    private static final int JOBS = 1_000;

    private Slurm() {}

    /** The first host of the step or of the job. Its name may be within a list such as {@code node[08-11,13],login1}. */
    static Optional<String> firstHost(Map<String, String> environment) {
        return Stream.of("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
                .map(name -> environment.getOrDefault(name, ""))
                .filter(list -> !list.isBlank())
                .findFirst()
                .map(Slurm::first);
    }

    private static String first(String list) {
        StringBuilder host = new StringBuilder();
        int at = 0;
        while (at < list.length() && list.charAt(at) != ',') {
            if (list.charAt(at) != '[') {
                host.append(list.charAt(at++));
                continue;
            }
            int end = list.indexOf(']', at);
            if (end < 0) {
                throw new IllegalArgumentException("the list of Slurm's nodes, " + list + ", has no ] after [");
            }
            host.append(list.substring(at + 1, end).split("[-,]", 2)[0]);
            at = end + 1;
        }
        return host.toString();
    }

    /** The number of processes on this node. */
    static OptionalInt localSize(Map<String, String> environment) {
        List<Integer> nodes = new ArrayList<>();
        String tasks = environment.getOrDefault("SLURM_STEP_TASKS_PER_NODE", "");
        for (Matcher each = TASKS.matcher(tasks); each.find(); ) {
            int repeated = each.group(2) == null ? 1 : Integer.parseInt(each.group(2));
            for (int i = 0; i < repeated; i++) {
                nodes.add(Integer.parseInt(each.group(1)));
            }
        }
        String node = environment.getOrDefault("SLURM_NODEID", "0");
        if (node.matches("[0-9]{1,9}") && Integer.parseInt(node) < nodes.size()) {
            return OptionalInt.of(nodes.get(Integer.parseInt(node)));
        }
        String perNode = environment.getOrDefault("SLURM_NTASKS_PER_NODE", "");
        return perNode.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(perNode)) : OptionalInt.empty();
    }

    /** The first of some ports that jobs with other numbers rarely share, below those that Linux gives to clients. */
    static int port(int job, int ports) {
        return FIRST_PORT + job % JOBS * ports;
    }
}
