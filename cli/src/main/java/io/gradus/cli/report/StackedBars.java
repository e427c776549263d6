package io.gradus.cli.report;

import io.gradus.train.memory.Bytes;
import java.util.List;

/**
 * Draws horizontal stacked bars as an SVG file. The file is self-contained and includes the colors of the report for light
 * and dark mode.
 *
 * @param title the title above the bars
 * @param bars the bars, from top to bottom
 */
public record StackedBars(String title, List<Bar> bars) {
    private static final int WIDTH = 880;
    private static final int MARGIN = 16;
    private static final int LEAST_NAMES = 120;
    private static final int MOST_NAMES = 440;
    private static final int FONT = 13;
    private static final double TITLE_FONT = 17 * 1.1; // bold

    /** The least width of a part, which would be invisible otherwise. */
    private static final double THINNEST = 0.75;

    /** The space between two parts. */
    private static final double GAP = 1;

    private static final int TOTALS = 70;
    private static final int PITCH = 36;
    private static final int THICKNESS = 22;
    private static final int TOP = 84;
    private static final int BOTTOM = 40;
    private static final int LEGEND = 135;

    private static final String STYLE = """
        <style>
        svg { --paper: #ffffff; --ink: #1b222c; --soft: #5a6473; --rule: #dfe3e9;
          --weights: #2f6db5; --gradients: #d98a1f; --optimizer: #7a5aa8; --activations: #2a9187; --workspace: #98a2ae; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #11151b; --ink: #e4e8ee; --soft: #9aa5b3; --rule: #2b333e;
            --weights: #5b97dd; --gradients: #dd9a3c; --optimizer: #a586d4; --activations: #3fb0a5; --workspace: #6f7a88; }
        }
        text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif; fill: var(--soft); }
        text.title { font-size: 17px; font-weight: 600; fill: var(--ink); }
        text.name, text.total { fill: var(--ink); }
        text.total { stroke: var(--paper); stroke-width: 4; paint-order: stroke; }
        text.mark { text-anchor: middle; font-size: 12px; }
        path { stroke: var(--rule); }
        rect.paper { fill: var(--paper); }
        .weights { fill: var(--weights); } .gradients { fill: var(--gradients); } .optimizer { fill: var(--optimizer); }
        .activations { fill: var(--activations); } .workspace { fill: var(--workspace); }
        </style>
        """;

    /**
     * A bar.
     *
     * @param parts the parts, from left to right; the same in each bar
     */
    public record Bar(String name, List<Part> parts) {
        long bytes() {
            return parts.stream().mapToLong(Part::bytes).sum();
        }
    }

    /**
     * A part of a bar.
     *
     * @param name also the class in the style sheet: weights, gradients, optimizer, activations or workspace
     */
    public record Part(String name, long bytes) {}

    /** Returns the contents of the SVG file. */
    public String svg() {
        int height = TOP + PITCH * bars.size() + BOTTOM;
        long longest = Math.max(1, bars.stream().mapToLong(Bar::bytes).max().orElse(0));
        StringBuilder svg = new StringBuilder();
        Svg.append(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n", WIDTH, height);
        Svg.append(svg, "<title>%s</title>\n", Svg.escaped(title));
        Svg.append(svg, "<desc>");
        bars.forEach(bar -> Svg.append(svg, "%s: %s. ", Svg.escaped(bar.name()), Bytes.format(bar.bytes())));
        Svg.append(svg, "</desc>\n%s<rect class='paper' width='%d' height='%d'/>\n", STYLE, WIDTH, height);
        Svg.append(
                svg,
                "<text class='title' x='%d' y='32'>%s</text>\n",
                MARGIN,
                Svg.escaped(Svg.fitting(title, TITLE_FONT, WIDTH - 2 * MARGIN)));
        legend(svg);
        double left = left();
        marks(svg, left, longest, height);
        for (int i = 0; i < bars.size(); i++) {
            bar(svg, bars.get(i), left, TOP + PITCH * i, longest);
        }
        return svg.append("</svg>\n").toString();
    }

    /** Returns where the bars begin, to the right of the longest name. */
    private double left() {
        double longest = bars.stream()
                .mapToDouble(bar -> Svg.width(bar.name(), FONT))
                .max()
                .orElse(0);
        return Math.ceil(Math.clamp(longest + 2 * MARGIN, LEAST_NAMES, MOST_NAMES));
    }

    private void legend(StringBuilder svg) {
        List<Part> parts = bars.isEmpty() ? List.of() : bars.getFirst().parts();
        for (int i = 0; i < parts.size(); i++) {
            String name = parts.get(i).name();
            Svg.append(svg, "<rect class='%s' x='%d' y='49' width='12' height='12'/>", name, MARGIN + LEGEND * i);
            Svg.append(svg, "<text x='%d' y='60'>%s</text>\n", 34 + LEGEND * i, name);
        }
    }

    private static void marks(StringBuilder svg, double left, long longest, int height) {
        Axis axis = new Axis(0, longest, Axis.roundStep(longest / 4.0));
        for (double mark : axis.marks()) {
            double at = left + (WIDTH - left - TOTALS) * axis.position(mark);
            Svg.append(svg, "<path d='M%.1f %dV%d'/>", at, TOP - 6, height - BOTTOM);
            Svg.append(
                    svg,
                    "<text class='mark' x='%.1f' y='%d'>%s</text>\n",
                    at,
                    height - BOTTOM + 20,
                    Bytes.format(Math.round(mark)));
        }
    }

    private static void bar(StringBuilder svg, Bar bar, double left, int y, long longest) {
        String name = Svg.fitting(bar.name(), FONT, left - 2 * MARGIN);
        String whole = name.equals(bar.name()) ? "" : "<title>" + Svg.escaped(bar.name()) + "</title>";
        Svg.append(svg, "<text class='name' x='%d' y='%d'>%s%s</text>\n", MARGIN, y + 16, whole, Svg.escaped(name));
        double x = left;
        for (Part part : bar.parts()) {
            if (part.bytes() > 0) {
                double width = (WIDTH - left - TOTALS) * part.bytes() / longest;
                Svg.append(
                        svg,
                        "<rect class='%s' x='%.2f' y='%d' width='%.2f' height='%d'><title>%s: %s</title></rect>\n",
                        part.name(),
                        x,
                        y,
                        Math.max(THINNEST, width - GAP),
                        THICKNESS,
                        part.name(),
                        Bytes.format(part.bytes()));
                x += width;
            }
        }
        Svg.append(svg, "<text class='total' x='%.1f' y='%d'>%s</text>\n", x + 6, y + 16, Bytes.format(bar.bytes()));
    }
}
