package io.gradus.train.export;

import java.util.List;

/** A value of the metadata of a GGUF file. */
sealed interface GgufValue {
    /** The number of the type in the file. */
    int code();

    /** A whole number from 0 to 2³² − 1. */
    record Unsigned(int value) implements GgufValue {
        @Override
        public int code() {
            return 4;
        }
    }

    /** A number in F32. */
    record Real(float value) implements GgufValue {
        @Override
        public int code() {
            return 6;
        }
    }

    /** True or false. */
    record Flag(boolean value) implements GgufValue {
        @Override
        public int code() {
            return 7;
        }
    }

    /** A text. */
    record Text(String value) implements GgufValue {
        @Override
        public int code() {
            return 8;
        }
    }

    /** A list of integers, numbers, flags or texts; all of the same kind. */
    sealed interface Array extends GgufValue {
        @Override
        default int code() {
            return 9;
        }

        /** The number of the elements' type in the file. */
        int elementCode();

        int size();
    }

    /** A list of integers in two's complement. */
    record Integers(List<Integer> values) implements Array {
        @Override
        public int elementCode() {
            return 5;
        }

        @Override
        public int size() {
            return values.size();
        }
    }

    /** A list of numbers in F32. */
    record Reals(List<Float> values) implements Array {
        @Override
        public int elementCode() {
            return 6;
        }

        @Override
        public int size() {
            return values.size();
        }
    }

    /** A list of flags. */
    record Flags(List<Boolean> values) implements Array {
        @Override
        public int elementCode() {
            return 7;
        }

        @Override
        public int size() {
            return values.size();
        }
    }

    /** A list of texts. */
    record Texts(List<String> values) implements Array {
        @Override
        public int elementCode() {
            return 8;
        }

        @Override
        public int size() {
            return values.size();
        }
    }
}
