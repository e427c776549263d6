package io.gradus.train;

import java.io.IOException;

/** A run ended because of an error on another process. The message begins with the number of that process. */
public final class OtherRankException extends IOException {
    private static final long serialVersionUID = 1L;

    OtherRankException(String message) {
        super(message);
    }
}
