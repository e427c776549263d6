package io.gradus.train.export;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The metadata of a GGUF file, and remarks for whoever exports it. */
final class GgufMetadata {
    private final String architecture;
    private final Map<String, GgufValue> values = new LinkedHashMap<>();
    private final List<String> remarks;

    /**
     * @param architecture the value of {@code general.architecture}, which keys of the network begin with
     * @param remarks receives remarks
     */
    GgufMetadata(String architecture, List<String> remarks) {
        this.architecture = architecture;
        this.remarks = remarks;
        text("general.architecture", architecture);
    }

    Map<String, GgufValue> values() {
        return Collections.unmodifiableMap(values);
    }

    /** Tells the user something about the file that is not as in the folder. */
    void remark(String remark) {
        remarks.add(remark);
    }

    // ---- keys of the network, without its name ----

    GgufMetadata network(String key, int value) {
        return put(architecture + "." + key, new GgufValue.Unsigned(value));
    }

    GgufMetadata network(String key, double value) {
        return put(architecture + "." + key, new GgufValue.Real((float) value));
    }

    GgufMetadata network(String key, boolean value) {
        return put(architecture + "." + key, new GgufValue.Flag(value));
    }

    GgufMetadata network(String key, String value) {
        return put(architecture + "." + key, new GgufValue.Text(value));
    }

    GgufMetadata network(String key, List<Boolean> values) {
        return put(architecture + "." + key, new GgufValue.Flags(values));
    }

    // ---- whole keys ----

    GgufMetadata number(String key, int value) {
        return put(key, new GgufValue.Unsigned(value));
    }

    GgufMetadata flag(String key, boolean value) {
        return put(key, new GgufValue.Flag(value));
    }

    GgufMetadata text(String key, String value) {
        return put(key, new GgufValue.Text(value));
    }

    GgufMetadata texts(String key, List<String> values) {
        return put(key, new GgufValue.Texts(values));
    }

    GgufMetadata integers(String key, List<Integer> values) {
        return put(key, new GgufValue.Integers(values));
    }

    GgufMetadata reals(String key, List<Float> values) {
        return put(key, new GgufValue.Reals(values));
    }

    private GgufMetadata put(String key, GgufValue value) {
        values.put(key, value);
        return this;
    }
}
