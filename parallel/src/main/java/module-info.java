/** Communication between the processes of a training job. */
module io.gradus.parallel {
    requires transitive io.gradus.core;

    exports io.gradus.parallel;
    exports io.gradus.parallel.launch;
    exports io.gradus.parallel.mpi;
    exports io.gradus.parallel.tcp;
}
