package io.gradus.data.jinja;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/** The filter {@code urlencode}. */
final class UrlEncoding {
    private UrlEncoding() {}

    /** A text as part of a path, or pairs as a query string. */
    static Object encode(Object value) {
        if (Values.isString(value) || !Values.isIterable(value)) {
            return quoted(Text.str(value), false);
        }
        Iterator<Object> pairs = value instanceof Dict dict
                ? new DictView(DictView.Kind.ITEMS, dict).items().iterator()
                : Values.iterate(value);
        List<String> parts = new ArrayList<>();
        while (pairs.hasNext()) {
            List<Object> pair = Attributes.unpack(pairs.next(), 2);
            parts.add(quoted(Text.str(pair.get(0)), true) + "=" + quoted(Text.str(pair.get(1)), true));
        }
        return String.join("&", parts);
    }

    private static String quoted(String text, boolean query) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int c = b & 0xFF;
            boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || (!query && c == '/'));
            if (plain) {
                out.append((char) c);
            } else if (query && c == ' ') {
                out.append('+');
            } else {
                out.append(String.format(Locale.ROOT, "%%%02X", c));
            }
        }
        return out.toString();
    }
}
