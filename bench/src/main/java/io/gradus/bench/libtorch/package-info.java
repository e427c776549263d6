/**
 * The other side: libtorch, PyTorch's C++ library, through the bindings of JavaCPP. Networks and training steps are
 * written here as a C++ user would write them, in libtorch's modules and operations.
 */
@NullMarked
package io.gradus.bench.libtorch;

import org.jspecify.annotations.NullMarked;
