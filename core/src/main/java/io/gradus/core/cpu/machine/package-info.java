/** Machine code that Java writes itself, for instructions that the Vector API does not have; see {@link MachineCode}. */
@NullMarked
package io.gradus.core.cpu.machine;

import org.jspecify.annotations.NullMarked;
