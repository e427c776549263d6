package io.gradus.it.fuzz;

import java.nio.file.Path;
import java.util.Map;
import java.util.random.RandomGenerator;

/** One kind of file that a user gives to Gradus, with its public entry point. */
interface Kind {

    /** The name in the report, such as {@code shards}. */
    String name();

    /**
     * A valid sample, changed at random in one or several places.
     *
     * @return the contents of files by their names in a folder
     */
    Map<String, byte[]> sample(RandomGenerator random);

    /**
     * Loads a sample, as a user would.
     *
     * @param folder with the files of the sample
     * @return what was loaded; two loads of one sample must return equal values
     * @throws Exception if the sample is rejected
     */
    Object load(Path folder) throws Exception;
}
