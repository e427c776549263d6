package io.gradus.core;

import java.util.List;

/** How a backend outside this module is found: by {@link java.util.ServiceLoader}. */
public interface BackendProvider {

    /** The devices that can be used now; empty when something is missing. Never throws for that. */
    List<Device> devices();

    /** What is missing when {@link #devices()} is empty, and how to get it, in words for a person. */
    String explanation();
}
