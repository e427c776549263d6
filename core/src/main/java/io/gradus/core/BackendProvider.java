package io.gradus.core;

import java.util.List;

/** Provides the devices of a backend in another module; found by {@link java.util.ServiceLoader}. */
public interface BackendProvider {

    /** The devices that can be used now. Empty, not an exception, if something is missing. */
    List<Device> devices();

    /** If {@link #devices()} is empty: what is missing and how to install it, as a sentence for an error message. */
    String explanation();
}
