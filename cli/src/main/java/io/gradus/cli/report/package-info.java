/**
 * What a run looked like, for a person. {@link io.gradus.cli.report.RunReport} listens to a run and writes {@code
 * report.html} at its end: one file without scripts, in which everything is drawn from {@code metrics.jsonl}. The page
 * itself is {@code report.html} among the resources; {@code LineChart} and {@code Axis} draw the curves as SVG.
 */
@NullMarked
package io.gradus.cli.report;

import org.jspecify.annotations.NullMarked;
