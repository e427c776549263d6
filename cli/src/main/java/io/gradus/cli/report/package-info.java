/**
 * Report pages and charts. {@link io.gradus.cli.report.RunReport} listens to a run and writes {@code report.html} at each
 * evaluation and when the run ends: a single file without scripts, drawn from {@code metrics.jsonl}. The template is the resource {@code
 * report.html}; {@code LineChart} and {@code Axis} draw the curves as SVG.
 */
@NullMarked
package io.gradus.cli.report;

import org.jspecify.annotations.NullMarked;
