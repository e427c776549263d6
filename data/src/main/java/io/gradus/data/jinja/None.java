package io.gradus.data.jinja;

/** Python's {@code None}. */
enum None {
    NONE
}
