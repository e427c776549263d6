package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** The places of the texts and marks of an SVG file, with estimated widths of text. */
final class TextBoxes {
    private static final double ASCENT = 10;
    private static final double DESCENT = 3;

    private TextBoxes() {}

    private record Box(String what, double left, double top, double right, double bottom) {
        boolean overlaps(Box other) {
            return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
        }
    }

    /** Asserts that no text leaves the picture, and that none covers another text or a mark. */
    static void assertReadable(String svg) throws Exception {
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        String[] view = document.getDocumentElement().getAttribute("viewBox").split(" ");
        Box picture = new Box("picture", 0, 0, Double.parseDouble(view[2]), Double.parseDouble(view[3]));
        List<Box> marks = marks(document);
        List<Box> texts = texts(document);
        for (int i = 0; i < texts.size(); i++) {
            Box text = texts.get(i);
            assertThat(text.left >= 0 && text.right <= picture.right && text.top >= 0 && text.bottom <= picture.bottom)
                    .as("%s is inside of the picture", text)
                    .isTrue();
            assertThat(marks).as("marks covered by %s", text).noneMatch(text::overlaps);
            assertThat(texts.subList(i + 1, texts.size()))
                    .as("texts covered by %s", text)
                    .noneMatch(text::overlaps);
        }
    }

    private static List<Box> marks(Document document) {
        List<Box> marks = new ArrayList<>();
        for (Element rect : elements(document, "rect")) {
            if (rect.hasAttribute("x")) { // the background has no place
                double x = number(rect, "x");
                double y = number(rect, "y");
                marks.add(new Box(
                        rect.getAttribute("class"), x, y, x + number(rect, "width"), y + number(rect, "height")));
            }
        }
        for (Element circle : elements(document, "circle")) {
            double x = number(circle, "cx");
            double y = number(circle, "cy");
            double r = number(circle, "r");
            marks.add(new Box("dot", x - r, y - r, x + r, y + r));
        }
        return marks;
    }

    private static List<Box> texts(Document document) {
        List<Box> texts = new ArrayList<>();
        for (Element text : elements(document, "text")) {
            if (text.hasAttribute("transform")) {
                continue;
            }
            String content = text.getLastChild().getTextContent();
            List<String> styles = List.of(text.getAttribute("class").split(" "));
            double width = Svg.width(content, styles.contains("title") ? 17 * 1.1 : 13);
            double x = number(text, "x");
            double left = styles.contains("x") || styles.contains("mark")
                    ? x - width / 2
                    : styles.contains("y") || styles.contains("before") ? x - width : x;
            double y = number(text, "y");
            texts.add(new Box("'" + content + "'", left, y - ASCENT, left + width, y + DESCENT));
        }
        return texts;
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static double number(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute));
    }
}
